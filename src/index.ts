/**
 * The public entry `groundray`: devices, tensors, operations with gradients and kernels.
 * In Node, `engine.node.ts` stands in its place.
 * @module groundray
 */

export {
  type AttentionOptions,
  type AttentionWithProbabilities,
  attention,
  attentionWithProbabilities,
} from './autograd/ops/attention.ts';
export { type BatchNormOptions, batchNorm } from './autograd/ops/batchNorm.ts';
export { cast } from './autograd/ops/cast.ts';
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
export { type EmbeddingOptions, embedding, gather, indexSelect } from './autograd/ops/indexing.ts';
export { l2Normalize } from './autograd/ops/l2Normalize.ts';
export { layerNorm } from './autograd/ops/layerNorm.ts';
export { linear, matmul, type TransposeOptions } from './autograd/ops/matmul.ts';
export {
  type AvgPoolOptions,
  adaptiveAvgPool2d,
  avgPool2d,
  maxPool2d,
  type Pair,
  type PoolOptions,
} from './autograd/ops/pooling.ts';
export { type Axes, argmax, logSumExp, max, mean, sum } from './autograd/ops/reductions.ts';
export { type ResizeOptions, resizeBilinear } from './autograd/ops/resizeBilinear.ts';
export { cat, expand, pad, permute, reshape, slice, stack } from './autograd/ops/shape.ts';
export { logSoftmax, softmax } from './autograd/ops/softmax.ts';
export { where } from './autograd/ops/where.ts';
export { backward, type Node, noGrad, record, recordMany, type Vjp } from './autograd/tape.ts';
export { Tensor, type TensorOptions, tensor } from './autograd/tensor.ts';
export { type AdapterKind, type AdapterSummary, describeAdapter } from './gpu/adapter.ts';
export type { MemoryReport } from './gpu/buffers.ts';
export type { Captured, CaptureMemory } from './gpu/capture.ts';
export { type CreateGpuOptions, createGpu, createGpuFrom } from './gpu/create.ts';
export type { LostEvent } from './gpu/deviceState.ts';
export { GpuError, ShapeError } from './gpu/errors.ts';
export { Gpu, type GpuOptions } from './gpu/gpu.ts';
export type { ParamSpec, ParamValues } from './gpu/params.ts';
export type { BindingAccess, ConstantValue, Cost, Workgroups } from './gpu/pipelines.ts';
export { chromeTrace, type KernelTime, type ProfiledDispatch, profile, rollUp } from './gpu/profile.ts';
export type { Counters } from './gpu/recorder.ts';
export { wrapDevice } from './gpu/wrap.ts';
export { contiguous } from './kernels/copy.ts';
export { defineKernel, grid1d, type Kernel, type KernelDefinition, type Variant } from './kernels/define.ts';
export type { DType, TypedArray } from './kernels/dtype.ts';
export { NDArray } from './kernels/ndarray.ts';
export { recover } from './kernels/recover.ts';
export type { Shape } from './kernels/shape.ts';
export { indexedDbStore } from './kernels/tuning/indexedDbStore.ts';
export { openTuning, type Tuning, type TuningOptions } from './kernels/tuning/open.ts';
export type { TunedPlan, TuneMode, TuningRequest } from './kernels/tuning/plans.ts';
export type { PlanTable, StoredTable, TableStore, TuningTarget } from './kernels/tuning/table.ts';
export { type TunedProduct, type TuneOptions, type TuneProgress, tune } from './kernels/tuning/tune.ts';
