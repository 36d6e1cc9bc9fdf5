import { cat, reshape } from '../autograd/ops/shape.ts';
import { backward, noGrad } from '../autograd/tape.ts';
import { Tensor } from '../autograd/tensor.ts';
import type { Batch } from '../data/types.ts';
import type { Captured } from '../gpu/capture.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { gradNorm } from '../kernels/gradNorm.ts';
import type { NDArray } from '../kernels/ndarray.ts';
import { GroundingModel } from '../models/grounding.ts';
import type { ObjectiveLosses, PairBatch } from '../models/objective.ts';
import { contrastiveObjective } from '../models/objective.ts';
import { ParameterArena } from '../nn/arena.ts';
import { clipGradNorm } from '../nn/clip.ts';
import { seedModules } from '../nn/module.ts';
import type { Optimizer } from '../nn/optimizer.ts';
import { adam, sgd } from '../nn/optimizer.ts';
import type { Schedule } from '../nn/schedule.ts';
import { constantRate, exponentialDecay, linearWarmup, oneCycle } from '../nn/schedule.ts';
import type { RunConfig } from './config.ts';
import { NonFiniteError } from './errors.ts';
import { findNonFinite, findNonFiniteGradient } from './nonFinite.ts';
import { batchShape, rewriteBatch, uploadBatch } from './upload.ts';

/** What one batch gave, on the host. */
export interface StepMetrics {
  readonly total: number;
  readonly globalVt: number;
  readonly globalTv: number;
  /** Absent for the objective `global`. */
  readonly localVt?: number;
  readonly localTv?: number;
  /** Share of images whose own report is the most similar one in the batch. */
  readonly accuracy: number;
  /** Norm of the gradient before clipping, NaN if a gradient or a parameter is not finite; absent for validation. */
  readonly gradNorm?: number;
}

/** The learning rate of each step. */
export function scheduleOf(config: RunConfig, totalSteps: number, stepsPerEpoch: number): Schedule {
  const { name, learningRate, warmup, gamma } = config.schedule;
  if (name === 'one-cycle') return oneCycle(learningRate, totalSteps, { warmup });
  const plain =
    name === 'exponential' ? exponentialDecay(learningRate, gamma, stepsPerEpoch) : constantRate(learningRate);
  return warmup > 0 ? linearWarmup(plain, Math.round(warmup * totalSteps)) : plain;
}

/** Which parameters keep their values. */
function frozenBy({ frozen }: RunConfig): (name: string) => boolean {
  return (name) => {
    if (name.startsWith('bert.embeddings.')) return frozen.embeddings;
    const layer = /^bert\.encoder\.layer\.(\d+)\./.exec(name)?.[1];
    return layer !== undefined && Number(layer) < frozen.layers;
  };
}

function optimizerOf(config: RunConfig, arena: ParameterArena): Optimizer {
  const { name, betas, eps, weightDecay, momentum } = config.optimizer;
  if (name === 'sgd') return sgd(arena, { momentum, weightDecay });
  return adam(arena, { betas, eps, weightDecay, decoupled: name === 'adamw' });
}

/** Losses and similarities in one tensor, so that a step is read back with a single copy. */
function packMetrics(losses: ObjectiveLosses, extra: readonly Tensor[]): Tensor {
  const { total, globalVt, globalTv, localVt, localTv } = losses;
  const similarity = losses.localSimilarity ?? losses.globalSimilarity;
  const scalars = [total, globalVt, globalTv, localVt ?? globalVt, localTv ?? globalTv];
  return noGrad(() =>
    cat(
      [...scalars, ...extra, similarity].map((x) => reshape(x, [-1])),
      0,
    ),
  );
}

function unpackMetrics(values: ArrayLike<number>, rows: number, hasLocal: boolean, hasNorm: boolean): StepMetrics {
  const at = (i: number): number => values[i] ?? Number.NaN;
  const first = values.length - rows * rows;
  let hits = 0;
  for (let row = 0; row < rows; row++) {
    let best = 0;
    for (let col = 1; col < rows; col++) if (at(first + row * rows + col) > at(first + row * rows + best)) best = col;
    if (best === row) hits += 1;
  }
  return {
    total: at(0),
    globalVt: at(1),
    globalTv: at(2),
    ...(hasLocal ? { localVt: at(3), localTv: at(4) } : {}),
    accuracy: hits / rows,
    // Behind the losses: norm, factor and number of non-finite elements of the gradients, then of the parameters.
    ...(hasNorm ? { gradNorm: at(7) + at(10) > 0 ? Number.NaN : at(5) } : {}),
  };
}

/** A step recorded for batches of one shape, with the tensors it takes them from. */
interface RecordedStep {
  readonly batch: PairBatch;
  readonly captured: Captured<NDArray>;
}

/** Shapes whose steps are kept recorded; each holds the memory of a step. */
const keptSteps = 2;

/** Model, parameters and optimizer of a run, and what one step does with a batch. */
export class Trainer {
  readonly gpu: Gpu;
  readonly config: RunConfig;
  readonly model: GroundingModel;
  readonly arena: ParameterArena;
  readonly optimizer: Optimizer;
  private readonly schedule: Schedule;
  /** By batch shape, least recently used first. */
  private readonly steps = new Map<string, RecordedStep>();

  constructor(gpu: Gpu, config: RunConfig, totalSteps: number, stepsPerEpoch: number) {
    this.gpu = gpu;
    this.config = config;
    this.model = new GroundingModel(config.model);
    this.arena = new ParameterArena(gpu, this.model, { seed: config.seed, frozen: frozenBy(config) });
    this.optimizer = optimizerOf(config, this.arena);
    this.schedule = scheduleOf(config, totalSteps, stepsPerEpoch);
  }

  learningRate(step: number): number {
    return this.schedule(step);
  }

  /**
   * One optimizer step, counted from 0. Returns as soon as it is recorded; the metrics follow when the GPU is done.
   * The first step of a shape is captured, those after it are replayed.
   * A gradient that is not finite leaves the parameters as they are.
   * @throws NonFiniteError (from the promise) that names the first bad tensor.
   */
  step(batch: Batch, step: number): Promise<StepMetrics> {
    const { model, config } = this;
    seedModules(model, config.seed, step);
    model.setTraining(true);
    const packed = this.record(batch, this.schedule(step));
    return this.read(packed, batch, true).then(async (metrics) => {
      if (!Number.isFinite(metrics.total) || !Number.isFinite(metrics.gradNorm)) {
        throw new NonFiniteError(await this.explain(batch, step, metrics));
      }
      return metrics;
    });
  }

  /** Loss and accuracy of a batch with running statistics and without dropout; nothing is trained. */
  evaluate(batch: Batch): Promise<StepMetrics> {
    const { gpu, model, config } = this;
    model.setTraining(false);
    const packed = gpu.scope(() =>
      noGrad(() => packMetrics(contrastiveObjective(model, uploadBatch(gpu, batch), config.objective), []).array),
    );
    const metrics = this.read(packed, batch, false);
    packed.dispose();
    return metrics;
  }

  dispose(): void {
    for (const shape of this.steps.keys()) this.forget(shape);
    this.optimizer.dispose();
    this.arena.dispose();
  }

  /** Records the kernels of a step, and returns its packed metrics. */
  private record(batch: Batch, learningRate: number): NDArray {
    const { gpu, optimizer } = this;
    const shape = batchShape(batch);
    const known = this.steps.get(shape);
    if (known) {
      this.steps.delete(shape);
      this.steps.set(shape, known);
      rewriteBatch(known.batch, batch);
      optimizer.advance(learningRate);
      known.captured.run();
      return known.captured.result;
    }
    const [oldest] = this.steps.keys();
    if (this.steps.size >= keptSteps && oldest !== undefined) this.forget(oldest);
    const uploaded = uploadBatch(gpu, batch);
    optimizer.advance(learningRate);
    const captured = gpu.capture(() => this.computeStep(uploaded));
    this.steps.set(shape, { batch: uploaded, captured });
    return captured.result;
  }

  private forget(shape: string): void {
    const step = this.steps.get(shape);
    this.steps.delete(shape);
    step?.captured.dispose();
    const { image, ids, mask, sentences, words, duplicates } = step?.batch ?? {};
    for (const tensor of [image, ids, mask, sentences?.ids, words?.ids, duplicates]) tensor?.dispose();
  }

  private computeStep(batch: PairBatch): NDArray {
    const { gpu, model, arena, optimizer, config } = this;
    const losses = contrastiveObjective(model, batch, config.objective);
    arena.zeroGrad();
    backward([losses.total]);
    const clip = clipGradNorm(arena, config.optimizer.clip ?? 0);
    optimizer.record(clip);
    const values = gradNorm(
      gpu,
      arena.segments.map((segment) => segment.values),
      0,
    );
    return packMetrics(losses, [new Tensor(clip), new Tensor(values)]).array;
  }

  private async read(packed: NDArray, batch: Batch, hasNorm: boolean): Promise<StepMetrics> {
    const values = await packed.read();
    return unpackMetrics(values, batch.studyIds.length, this.config.objective.objective !== 'global', hasNorm);
  }

  /** Repeats a bad step, without its update, to name the first tensor that is not finite. */
  private async explain(batch: Batch, step: number, metrics: StepMetrics): Promise<string> {
    const { gpu, model, arena, config } = this;
    seedModules(model, config.seed, step);
    model.setTraining(true);
    const loss = contrastiveObjective(model, uploadBatch(gpu, batch), config.objective).total;
    const where =
      (await findNonFinite(loss, model)) ??
      (await findNonFiniteGradient(loss, arena)) ??
      'all are when it is repeated with the parameters as they are now';
    const what = Number.isFinite(metrics.total) ? 'a gradient or parameter' : `the loss (${metrics.total})`;
    return (
      `Step ${step + 1}: ${what} is not a finite number; ${where}. Nothing of this step was saved, and the last ` +
      'checkpoint is good. Try a lower learning rate (--lr), or gradient clipping (optimizer.clip).'
    );
  }
}
