import { backward } from '../autograd/tape.ts';
import { Tensor } from '../autograd/tensor.ts';
import type { Batch } from '../data/types.ts';
import { describeAdapter } from '../gpu/adapter.ts';
import type { Captured, CaptureMemory } from '../gpu/capture.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { gradNorm } from '../kernels/gradNorm.ts';
import type { NDArray } from '../kernels/ndarray.ts';
import { GroundingModel } from '../models/grounding.ts';
import type { ObjectiveConfig, ObjectiveLosses, PairBatch } from '../models/objective.ts';
import { contrastiveObjective } from '../models/objective.ts';
import { ParameterArena } from '../nn/arena.ts';
import { clipGradNorm } from '../nn/clip.ts';
import { LossScale } from '../nn/lossScale.ts';
import { seedModules } from '../nn/module.ts';
import type { Optimizer } from '../nn/optimizer.ts';
import type { Schedule } from '../nn/schedule.ts';
import type { RunConfig } from './config.ts';
import { ConfigError, NonFiniteError } from './errors.ts';
import { backwardInChunks, objectiveInChunks, tapesInChunks } from './gradCache.ts';
import { findNonFinite, findNonFiniteGradient } from './nonFinite.ts';
import { frozenBy, objectiveAt, optimizerOf, scheduleOf, setCheckpointing, setTraining } from './setup.ts';
import { packMetrics, type StepMetrics, unpackMetrics } from './stepMetrics.ts';
import { batchShape, disposeBatch, rewriteBatch, uploadBatch } from './upload.ts';

/** A step recorded for batches of one shape and one temperature, with the tensors it takes them from. */
interface RecordedStep {
  readonly batch: PairBatch;
  readonly captured: Captured<NDArray>;
}

/** Steps that are kept recorded; they share the memory of their tensors. */
const keptSteps = 2;

/** How a `Trainer` begins. */
export interface TrainerOptions {
  /** False leaves the parameters at zero, for a plan, which does not depend on them. True by default. */
  readonly initialize?: boolean;
}

/** @throws ConfigError if the device has no f16. */
function requireHalf({ device, adapter }: Gpu): void {
  if (device.features.has('shader-f16')) return;
  throw new ConfigError(
    `precision "mixed" needs 16-bit floats (the WebGPU feature shader-f16), which ${describeAdapter(adapter)} does not ` +
      'offer; train with --precision f32.',
  );
}

/** Model, parameters and optimizer of a run, and what one step does with a batch. */
export class Trainer {
  readonly gpu: Gpu;
  readonly config: RunConfig;
  readonly model: GroundingModel;
  readonly arena: ParameterArena;
  readonly optimizer: Optimizer;
  /** Only in mixed precision. */
  readonly lossScale: LossScale | undefined;
  private readonly schedule: Schedule;
  private readonly totalSteps: number;
  /** Of the step that is prepared. */
  private objective: ObjectiveConfig;
  /** By batch shape and temperature, least recently used first. */
  private readonly steps = new Map<string, RecordedStep>();
  private memory: CaptureMemory;
  private readonly usesWords: boolean;

  constructor(
    gpu: Gpu,
    config: RunConfig,
    totalSteps: number,
    stepsPerEpoch: number,
    { initialize = true }: TrainerOptions = {},
  ) {
    this.gpu = gpu;
    this.config = config;
    this.model = new GroundingModel(config.model);
    if (config.precision === 'mixed') {
      requireHalf(gpu);
      this.model.dtype = 'f16';
      this.lossScale = new LossScale(gpu);
    }
    setCheckpointing(this.model, config);
    this.arena = new ParameterArena(gpu, this.model, { seed: config.seed, frozen: frozenBy(config), initialize });
    this.optimizer = optimizerOf(config, this.arena);
    this.schedule = scheduleOf(config, totalSteps, stepsPerEpoch);
    this.totalSteps = totalSteps;
    this.objective = config.objective;
    this.memory = gpu.captureMemory();
    this.usesWords = config.objective.objective === 'word-local';
  }

  /** The rate of a step, counted from 0. */
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
    this.prepare(step);
    const packed = this.record(batch, this.schedule(step));
    return this.read(packed, batch, true).then(async (metrics) => {
      const isGood = Number.isFinite(metrics.total) && (metrics.overflowed || Number.isFinite(metrics.gradNorm));
      if (!isGood) {
        throw new NonFiniteError(await this.explain(batch, step, metrics));
      }
      return metrics;
    });
  }

  /** Loss and accuracy of a batch with running statistics and without dropout; nothing is trained. */
  evaluate(batch: Batch): Promise<StepMetrics> {
    const { gpu, model, config, usesWords } = this;
    model.setTraining(false);
    const chunk = config.chunkSize ?? batch.studyIds.length;
    const uploaded = uploadBatch(gpu, batch, usesWords);
    // In the memory of the steps, which have nothing in it between their runs.
    const captured = gpu.capture(() => {
      const losses = objectiveInChunks(model, uploaded, config.objective, chunk);
      return packMetrics(losses, []).array;
    }, this.memory);
    const metrics = this.read(captured.result, batch, false);
    captured.result.dispose();
    captured.dispose();
    disposeBatch(uploaded);
    return metrics;
  }

  /** Frees the model's parameters, the optimizer and the recorded steps. */
  dispose(): void {
    this.releaseSteps();
    this.lossScale?.dispose();
    this.optimizer.dispose();
    this.arena.dispose();
  }

  /** Dropout, batch norm and objective as they are in a step. */
  private prepare(step: number): void {
    this.objective = objectiveAt(this.config, step, this.totalSteps);
    seedModules(this.model, this.config.seed, step);
    setTraining(this.model, this.config);
  }

  /** Records the kernels of a step, and returns its packed metrics. */
  private record(batch: Batch, learningRate: number): NDArray {
    const { gpu, optimizer, usesWords } = this;
    const key = `${batchShape(batch, usesWords)} ${this.objective.tau2}`;
    const known = this.steps.get(key);
    if (known) {
      this.steps.delete(key);
      this.steps.set(key, known);
      rewriteBatch(known.batch, batch);
      optimizer.advance(learningRate);
      known.captured.run();
      return known.captured.result;
    }
    const [oldest] = this.steps.keys();
    if (this.steps.size >= keptSteps && oldest !== undefined) this.forget(oldest);
    const uploaded = uploadBatch(gpu, batch, usesWords);
    optimizer.advance(learningRate);
    const captured = gpu.capture(() => this.computeStep(uploaded), this.memory);
    this.steps.set(key, { batch: uploaded, captured });
    return captured.result;
  }

  private releaseSteps(): void {
    for (const key of this.steps.keys()) this.forget(key);
    this.memory.dispose();
  }

  private forget(key: string): void {
    const step = this.steps.get(key);
    this.steps.delete(key);
    if (!step) return;
    step.captured.result.dispose();
    step.captured.dispose();
    disposeBatch(step.batch);
  }

  private computeStep(batch: PairBatch): NDArray {
    const { gpu, arena, optimizer, config, lossScale } = this;
    arena.zeroGrad();
    const losses = this.backward(batch);
    const maxNorm = config.optimizer.clip ?? 0;
    const clip = lossScale ? lossScale.clipGradNorm(arena, maxNorm) : clipGradNorm(arena, maxNorm);
    optimizer.record(clip);
    const values = gradNorm(
      gpu,
      arena.segments.map((segment) => segment.values),
      0,
    );
    const scale = lossScale ? [new Tensor(lossScale.value())] : [];
    return packMetrics(losses, [new Tensor(clip), new Tensor(values), ...scale]).array;
  }

  /** Chunks of the batch, if there are any: a single one would only be encoded twice. */
  private chunkFor(batch: PairBatch): number | undefined {
    const { chunkSize } = this.config;
    return chunkSize !== undefined && chunkSize < (batch.image.shape[0] ?? 0) ? chunkSize : undefined;
  }

  /** Adds the gradients of a batch to those of the parameters. */
  private backward(batch: PairBatch): ObjectiveLosses {
    const { model, objective } = this;
    const chunk = this.chunkFor(batch);
    const upstream = this.lossScale?.upstream();
    if (chunk !== undefined) return backwardInChunks(model, batch, objective, chunk, upstream).losses;
    const losses = contrastiveObjective(model, batch, objective);
    backward([losses.total], [upstream]);
    return losses;
  }

  private async read(packed: NDArray, batch: Batch, hasNorm: boolean): Promise<StepMetrics> {
    const values = await packed.read();
    const extras = { norms: hasNorm, lossScale: this.lossScale !== undefined };
    return unpackMetrics(values, batch.studyIds.length, this.config.objective.objective !== 'global', extras);
  }

  /** Repeats a bad step, without its update, to name the first tensor that is not finite. */
  private async explain(batch: Batch, step: number, metrics: StepMetrics): Promise<string> {
    // The search below keeps what a step would free, so it needs the memory of the recorded steps.
    this.releaseSteps();
    this.memory = this.gpu.captureMemory();
    const uploaded = uploadBatch(this.gpu, batch, this.usesWords);
    const where = await this.findBadTensor(uploaded, step).finally(() => disposeBatch(uploaded));
    const what = Number.isFinite(metrics.total) ? 'a gradient or parameter' : `the loss (${metrics.total})`;
    return (
      `Step ${step + 1}: ${what} is not a finite number; ` +
      `${where ?? 'all are when it is repeated with the parameters as they are now'}. Nothing of this step was saved, ` +
      'and the last checkpoint is good. Try a lower learning rate (--lr), or gradient clipping (optimizer.clip).'
    );
  }

  private async findBadTensor(batch: PairBatch, step: number): Promise<string | undefined> {
    const { gpu, model, arena } = this;
    this.prepare(step);
    const { objective } = this;
    const chunk = this.chunkFor(batch);
    const tapes =
      chunk === undefined
        ? [() => [contrastiveObjective(model, batch, objective).total]]
        : tapesInChunks(model, batch, objective, chunk);
    for (const tape of tapes) {
      const found = await findNonFinite(gpu, tape, model);
      if (found) return found;
    }
    this.prepare(step);
    return findNonFiniteGradient(arena, () => void this.backward(batch));
  }
}
