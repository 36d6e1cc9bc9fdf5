/**
 * The public entry `groundray/data`: images, DICOM, reports, tokens, batches, synthetic radiographs, files of tensors.
 * @module groundray/data
 */

export { type AugmentOptions, augment, PHANTOM_AUGMENTATION, RADIOGRAPH_AUGMENTATION } from './data/augment.ts';
export { type BatchOptions, type BatchSource, createBatchSource } from './data/batches.ts';
export { DataError } from './data/errors.ts';
export { type PhantomOptions, phantomDataset } from './data/phantom/dataset.ts';
export { phantomVocabulary } from './data/phantom/vocabulary.ts';
export {
  type FrameGeometry,
  mapToSource,
  maskToFrame,
  type PreprocessedImage,
  preprocess,
} from './data/preprocess.ts';
export { createRandom, type Random } from './data/random.ts';
export { type EncodedText, type EncodeOptions, encodePhrase, encodeReport } from './data/text/encode.ts';
export { splitSentences } from './data/text/sentences.ts';
export { createTokenizer, parseVocabulary, type WordPieceTokenizer } from './data/text/tokenizer.ts';
export { buildVocabulary, type VocabularyOptions } from './data/text/vocabulary.ts';
export type { Batch, Box, Dataset, DroppedStudy, GrayImage, GroundedPhrase, Mask, Split, Study } from './data/types.ts';
export { type ByteSource, bytesSource } from './io/byteSource.ts';
export { type Codecs, loadCodecs } from './io/codecs.ts';
export { type DicomImage, decodeDicom } from './io/dicom/decode.ts';
export {
  defaultVoi,
  renderStored,
  type StoredImage,
  type VoiChoice,
  type VoiFunction,
  type VoiWindow,
} from './io/dicom/voi.ts';
export { TensorFileError } from './io/errors.ts';
export { decodeImage, type ImageFormat, imageFormat } from './io/image.ts';
export { openTensors, readTensors } from './io/openTensors.ts';
export { readSafetensors, type WritableTensor, writeSafetensors } from './io/safetensors.ts';
export type { TensorDtype } from './io/tensorDtypes.ts';
export type { TensorEntry, TensorFile, TensorFormat, TensorInfo } from './io/tensorFile.ts';
