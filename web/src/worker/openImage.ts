import codecsAddress from 'dcmjs-codecs/build/dcmjs-native-codecs.wasm?url';
import { type Codecs, loadCodecs } from '../../../src/io/codecs.ts';
import { decodeDicom } from '../../../src/io/dicom/decode.ts';
import { renderStored } from '../../../src/io/dicom/voi.ts';
import { decodeImage, imageFormat } from '../../../src/io/image.ts';
import type { OpenedImage } from '../images.ts';

let codecs: Promise<Codecs> | undefined;

/** The decoders of JPEG and compressed DICOM (4 MB), fetched once; after a failure the next call tries again. */
export function pageCodecs(): Promise<Codecs> {
  codecs ??= fetch(codecsAddress)
    .then(async (response) => {
      if (!response.ok) throw new Error(`The image decoders could not be loaded (HTTP ${response.status}).`);
      return loadCodecs(await response.arrayBuffer());
    })
    .catch((error: unknown) => {
      codecs = undefined;
      throw error;
    });
  return codecs;
}

/** Opens a PNG, JPEG or DICOM file. @throws DataError that begins with its name. */
export async function openImage(file: File): Promise<OpenedImage> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (imageFormat(bytes, file.name) !== 'dicom') {
    return { name: file.name, image: await decodeImage(bytes, file.name, pageCodecs), known: [] };
  }
  const dicom = await decodeDicom(bytes, file.name, pageCodecs);
  return { name: file.name, image: renderStored(dicom), dicom, known: [] };
}
