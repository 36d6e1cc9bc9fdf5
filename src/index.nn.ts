/**
 * The public entry `groundray/nn`: layers, parameters, optimizers and schedules.
 * @module groundray/nn
 */

export { type ArenaOptions, ParameterArena } from './nn/arena.ts';
export { runBlock } from './nn/block.ts';
export { type LoadOptions, loadStateDict, type TensorSource } from './nn/checkpoint.ts';
export { clipGradNorm, type GradNorm, readGradNorm } from './nn/clip.ts';
export { centredFanOut, constant, type Initializer, kaimingFanOut, normal, uniform } from './nn/init.ts';
export {
  BatchNorm2d,
  Conv2d,
  type Conv2dOptions,
  Dropout,
  Embedding,
  type EmbeddingOptions,
  LayerNorm,
  Linear,
  type LinearOptions,
} from './nn/layers.ts';
export { LossScale, type LossScaleOptions, type LossScaleState } from './nn/lossScale.ts';
export { describeMatch, type MatchReport, type ShapeMismatch } from './nn/match.ts';
export { Buffer, Module, Parameter, type ParameterLayout } from './nn/module.ts';
export {
  type AdamOptions,
  adam,
  Optimizer,
  type OptimizerState,
  type SgdOptions,
  type StepOptions,
  sgd,
} from './nn/optimizer.ts';
export type { ParameterRandom } from './nn/random.ts';
export {
  constantRate,
  exponentialDecay,
  linearWarmup,
  type OneCycleOptions,
  oneCycle,
  type Schedule,
} from './nn/schedule.ts';
