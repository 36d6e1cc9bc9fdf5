import type { Batch } from '../data/types.ts';
import { GpuError, ShapeError } from '../gpu/errors.ts';
import type { Cost } from '../gpu/pipelines.ts';
import { escapes, type Scoped } from '../gpu/scope.ts';
import { type StandInDevice, standInGpu } from '../gpu/standIn.ts';
import { NDArray } from '../kernels/ndarray.ts';
import type { RunConfig } from './config.ts';
import { Trainer } from './trainer.ts';

/** Bytes on the GPU, by what they are for. */
export interface MemoryPlan {
  /** With the running statistics of batch norms. */
  readonly parameters: number;
  readonly gradients: number;
  readonly optimizer: number;
  /** Images, tokens and the metrics that are read back. */
  readonly batch: number;
  /** Activations and everything else that a step makes and frees, at their largest. */
  readonly step: number;
  /** Largest sum of what is in use at a time; `memoryReport().peakBytes` of a run. */
  readonly peak: number;
  /** What the device has to have, freed buffers that wait for their reuse included; `peakAllocatedBytes` of a run. */
  readonly allocated: number;
}

/** What a training step takes, found out without a GPU. */
export interface StepPlan {
  readonly batchSize: number;
  /** Undefined where the batch is encoded at once. */
  readonly chunkSize: number | undefined;
  readonly checkpointing: RunConfig['checkpointing'];
  readonly memory: MemoryPlan;
  /** Work of every dispatch of the step, in order. */
  readonly dispatches: readonly Cost[];
}

/** The device that a plan is made for. */
export interface PlanOptions {
  /** The device to plan for; a common graphics card by default. */
  readonly device?: StandInDevice;
  /** Sentences of the longest report of a batch, as far as `maxSentences` lets them; `defaultSentences` if left out. */
  readonly sentences?: number;
}

export const defaultSentences = 16;

/** A batch of the shape that training would upload; what is in it does not matter. */
export function emptyBatch({ batchSize, imageSize, maxTokens, maxSentences }: RunConfig, sentences: number): Batch {
  const tokens = (): Int32Array => new Int32Array(batchSize * maxTokens);
  return {
    studyIds: Array.from({ length: batchSize }, (_, row) => `${row}`),
    images: new Float32Array(batchSize * imageSize ** 2),
    imageSize,
    inputIds: tokens(),
    attentionMask: tokens(),
    sentenceIds: tokens(),
    wordIds: tokens(),
    tokens: maxTokens,
    maxSentences: Math.min(sentences, maxSentences ?? sentences),
    maxWords: maxTokens,
    reportKeys: Int32Array.from({ length: batchSize }, (_, row) => row),
  };
}

function bytesOf(arrays: Iterable<Scoped | undefined>): number {
  let bytes = 0;
  for (const array of arrays) if (array instanceof NDArray) bytes += array.range.buffer.size;
  return bytes;
}

/**
 * Records a training step and a validation step on a device that allocates and runs nothing, and counts. Memory is that
 * of a run, byte for byte, on a device with these limits and features and with batches of this shape.
 */
export async function planStep(config: RunConfig, options: PlanOptions = {}): Promise<StepPlan> {
  using gpu = standInGpu(options.device);
  const batch = emptyBatch(config, options.sentences ?? defaultSentences);
  const trainer = new Trainer(gpu, config, 1, 1, { initialize: false });
  const model = gpu.memoryReport().liveBytes;
  const gradients = bytesOf(trainer.arena.trainable.map(({ grads }) => grads));
  const optimizer = bytesOf(trainer.optimizer[escapes]());
  const dispatches: Cost[] = [];
  const stop = gpu.onDispatch((program, params) => dispatches.push(program.cost(params)));
  await trainer.step(batch, 0);
  stop();
  const between = gpu.memoryReport().liveBytes;
  await trainer.evaluate(batch);
  const { peakBytes, peakAllocatedBytes } = gpu.memoryReport();
  trainer.dispose();
  const { batchSize, chunkSize, checkpointing } = config;
  return {
    batchSize,
    chunkSize: chunkSize !== undefined && chunkSize < batchSize ? chunkSize : undefined,
    checkpointing,
    memory: {
      parameters: model - gradients - optimizer,
      gradients,
      optimizer,
      batch: between - model,
      step: peakBytes - between,
      peak: peakBytes,
      allocated: peakAllocatedBytes,
    },
    dispatches,
  };
}

/** The whole batch, half of it, a quarter and so on down to one pair, each without and with checkpointing. */
export function* settingsOf(config: RunConfig): Generator<RunConfig> {
  const { chunkSize: own, ...whole } = config;
  const sizes = new Set(own === undefined ? [] : [own]);
  for (let size = config.batchSize; size > 1; size = Math.ceil(size / 2)) sizes.add(size);
  sizes.add(1);
  for (const size of [...sizes].sort((a, b) => b - a)) {
    const chunks = size < config.batchSize ? { chunkSize: size } : {};
    for (const checkpointing of ['none', 'blocks'] as const) yield { ...whole, ...chunks, checkpointing };
  }
}

/**
 * Plans ever smaller chunks until two sizes fit into `budget` bytes without checkpointing, or there are no smaller ones:
 * what is smaller still is slower and fits as well. Settings with a tensor that no binding holds are left out.
 * @throws GpuError if that is true of all settings
 */
export async function planSettings(config: RunConfig, budget: number, options: PlanOptions = {}): Promise<StepPlan[]> {
  const plans: StepPlan[] = [];
  let refusal: unknown;
  let fitting = 0;
  for (const setting of settingsOf(config)) {
    const [first] = plans;
    // The model alone does not depend on the setting.
    if (fitting === 2 || (first && modelBytes(first) > budget)) break;
    try {
      const plan = await planStep(setting, options);
      plans.push(plan);
      if (plan.checkpointing === 'none' && plan.memory.allocated <= budget) fitting += 1;
    } catch (error) {
      if (!(error instanceof GpuError || error instanceof ShapeError)) throw error;
      refusal = error;
    }
  }
  if (plans.length === 0) throw refusal;
  return plans;
}

/** Bytes that every setting needs: parameters, gradients and optimizer state. */
export function modelBytes({ memory }: StepPlan): number {
  return memory.parameters + memory.gradients + memory.optimizer;
}
