// The public entry for browsers and bundlers. `index.node.ts` adds what needs Node.

export { attention, attentionWithProbabilities } from './autograd/ops/attention.ts';
export { batchNorm } from './autograd/ops/batchNorm.ts';
export { cast } from './autograd/ops/cast.ts';
export { globalContrast, localContrast, phraseSimilarity } from './autograd/ops/contrastive.ts';
export { conv2d } from './autograd/ops/conv2d.ts';
export { cosineSimilarity, pairwiseCosine } from './autograd/ops/cosine.ts';
export { crossEntropy } from './autograd/ops/crossEntropy.ts';
export { dropout } from './autograd/ops/dropout.ts';
export {
  abs,
  add,
  clamp,
  div,
  erf,
  exp,
  gelu,
  log,
  maximum,
  mul,
  neg,
  reciprocal,
  relu,
  rsqrt,
  scale,
  sigmoid,
  sqrt,
  square,
  sub,
  tanh,
} from './autograd/ops/elementwise.ts';
export { embedding, gather, indexSelect } from './autograd/ops/indexing.ts';
export { l2Normalize } from './autograd/ops/l2Normalize.ts';
export { layerNorm } from './autograd/ops/layerNorm.ts';
export { linear, matmul } from './autograd/ops/matmul.ts';
export { adaptiveAvgPool2d, avgPool2d, maxPool2d } from './autograd/ops/pooling.ts';
export { poolSentences } from './autograd/ops/poolSentences.ts';
export { argmax, logSumExp, max, mean, sum } from './autograd/ops/reductions.ts';
export { resizeBilinear } from './autograd/ops/resizeBilinear.ts';
export { cat, expand, pad, permute, reshape, slice, stack } from './autograd/ops/shape.ts';
export { logSoftmax, softmax } from './autograd/ops/softmax.ts';
export { where } from './autograd/ops/where.ts';
export { backward, noGrad, record, recordMany } from './autograd/tape.ts';
export { Tensor, type TensorOptions, tensor } from './autograd/tensor.ts';
export { createTokenizer, parseVocabulary, type WordPieceTokenizer } from './data/text/tokenizer.ts';
export type { Box, GrayImage, Mask } from './data/types.ts';
export type { Localization, Localizer } from './eval/localizer.ts';
export { type EncodedImage, ModelLocalizer } from './eval/modelLocalizer.ts';
export { RESEARCH_NOTICE } from './eval/notice.ts';
export { renderOverlay } from './eval/overlay.ts';
export { bioVilLocalizer } from './eval/systems/bioVil.ts';
export { parseFindings } from './eval/systems/findings.ts';
export { gloriaLocalizer } from './eval/systems/gloria.ts';
export { medKlipLocalizer } from './eval/systems/medKlip.ts';
export { type AdapterSummary, describeAdapter } from './gpu/adapter.ts';
export type { Captured, CaptureMemory } from './gpu/capture.ts';
export { type CreateGpuOptions, createGpu, createGpuFrom } from './gpu/create.ts';
export { GpuError, ShapeError } from './gpu/errors.ts';
export { Gpu, type GpuOptions } from './gpu/gpu.ts';
export { chromeTrace, type KernelTime, type ProfiledDispatch, profile, rollUp } from './gpu/profile.ts';
export { wrapDevice } from './gpu/wrap.ts';
export { type Codecs, loadCodecs } from './io/codecs.ts';
export { type DicomImage, decodeDicom } from './io/dicom/decode.ts';
export { defaultVoi, renderStored, type StoredImage, type VoiChoice, type VoiWindow } from './io/dicom/voi.ts';
export { TensorFileError } from './io/errors.ts';
export { decodeImage } from './io/image.ts';
export { readTensors } from './io/openTensors.ts';
export { readSafetensors, writeSafetensors } from './io/safetensors.ts';
export type { TensorFile } from './io/tensorFile.ts';
export { defineKernel, type Kernel } from './kernels/define.ts';
export type { DType } from './kernels/dtype.ts';
export { NDArray } from './kernels/ndarray.ts';
export { indexedDbStore } from './kernels/tuning/indexedDbStore.ts';
export { openTuning, type Tuning, type TuningOptions } from './kernels/tuning/open.ts';
export type { TunedPlan, TuneMode, TuningRequest } from './kernels/tuning/plans.ts';
export type { TableStore } from './kernels/tuning/table.ts';
export { type TunedProduct, type TuneOptions, tune } from './kernels/tuning/tune.ts';
export { type BertConfig, BertEncoder, bertBaseConfig } from './models/bert.ts';
export { type GroundingConfig, GroundingModel } from './models/grounding.ts';
export { contrastiveObjective, defaultObjective, type ObjectiveConfig } from './models/objective.ts';
export { ResNet, type ResNetConfig, resNet50Config, resNetConfig } from './models/resnet.ts';
export { loadBioVil } from './models/systems/bioVil.ts';
export { loadGloria } from './models/systems/gloria.ts';
export { loadMedKlip } from './models/systems/medKlip.ts';
export { ParameterArena } from './nn/arena.ts';
export { runBlock } from './nn/block.ts';
export { loadStateDict } from './nn/checkpoint.ts';
export { clipGradNorm } from './nn/clip.ts';
export { BatchNorm2d, Conv2d, Dropout, Embedding, LayerNorm, Linear } from './nn/layers.ts';
export { LossScale } from './nn/lossScale.ts';
export { describeMatch, type MatchReport } from './nn/match.ts';
export { Buffer, Module, Parameter } from './nn/module.ts';
export { adam, Optimizer, sgd } from './nn/optimizer.ts';
export { constantRate, exponentialDecay, linearWarmup, oneCycle } from './nn/schedule.ts';
