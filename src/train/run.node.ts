import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type BatchSource, createBatchSource } from '../data/batches.ts';
import { type BatchLoader, createBatchLoader } from '../data/loader.node.ts';
import type { Batch, Dataset } from '../data/types.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { writeFileAtomic } from '../io/atomic.node.ts';
import { safetensorsChunks } from '../io/safetensors.ts';
import { hasCheckpoint, loadCheckpoint, saveCheckpoint } from './checkpoint.node.ts';
import type { RunConfig } from './config.ts';
import { DataWait } from './dataWait.ts';
import { MetricsLog, type MetricsRecord } from './metrics.node.ts';
import { type RunDescription, writeRunFolder } from './runFolder.node.ts';
import type { StepMetrics } from './stepMetrics.ts';
import { Trainer } from './trainer.ts';
import { loadStartWeights } from './weights.node.ts';

export interface TrainEvents {
  /** Once, before the first step. */
  readonly onStart?: (info: { totalSteps: number; firstStep: number; parameters: number; notices: string[] }) => void;
  readonly onRecord?: (record: MetricsRecord) => void;
  readonly onCheckpoint?: (step: number) => void;
}

export interface TrainResult {
  readonly trainer: Trainer;
  readonly totalSteps: number;
  readonly stepsDone: number;
  /** False when the signal stopped the run early; it can then be resumed. */
  readonly completed: boolean;
  /** Share of the time of training steps in which the GPU waited for a batch, 0 to 1; NaN without steps. */
  readonly dataWait: number;
}

const validationBatches = 4;

function totalStepsOf(config: RunConfig, stepsPerEpoch: number): number {
  return config.steps ?? (config.epochs ?? 1) * stepsPerEpoch;
}

function batchOptions({ batchSize, imageSize, maxTokens, maxSentences, splitter, seed }: RunConfig) {
  return { batchSize, imageSize, maxTokens, splitter, seed, ...(maxSentences === undefined ? {} : { maxSentences }) };
}

/** Two cores are left to this thread and the GPU's driver; batches are the same for any number of threads. */
const dataWorkers = Math.min(4, Math.max(1, availableParallelism() - 2));

function openLoader(run: RunDescription): Promise<BatchLoader> {
  const { config, tokenizer } = run;
  return createBatchLoader({
    ...batchOptions(config),
    dataset: config.data,
    tokenizer: tokenizer.spec,
    split: 'train',
    workers: dataWorkers,
    augment: config.augment,
    ...(config.keepSentences === undefined ? {} : { keepSentences: config.keepSentences }),
  });
}

/** Batches of the validation split, smaller ones where it is small; none where it is empty. */
async function openValidation({ config, tokenizer }: RunDescription, dataset: Dataset): Promise<Batch[]> {
  const studies = dataset.studies.filter(({ split }) => split === 'validation').length;
  if (studies < 2) return [];
  const source: BatchSource = createBatchSource(dataset, tokenizer, {
    ...batchOptions(config),
    batchSize: Math.min(config.batchSize, studies),
    split: 'validation',
    shuffle: false,
  });
  const steps = Math.min(validationBatches, source.stepsPerEpoch);
  return Promise.all(Array.from({ length: steps }, (_, step) => source.batch(0, step)));
}

async function validate(trainer: Trainer, batches: readonly Batch[]): Promise<StepMetrics | undefined> {
  const results: StepMetrics[] = [];
  for (const batch of batches) results.push(await trainer.evaluate(batch));
  const [first] = results;
  if (!first) return undefined;
  const mean = (field: keyof StepMetrics): number =>
    results.reduce((sum, metrics) => sum + (metrics[field] ?? 0), 0) / results.length;
  return Object.fromEntries(
    Object.keys(first).map((key) => [key, mean(key as keyof StepMetrics)]),
  ) as unknown as StepMetrics;
}

/**
 * Trains a run, from its checkpoint where it has one, until its last step or until `signal` asks to stop: then the step
 * under way is finished and everything saved. The caller disposes the returned trainer.
 */
export async function trainRun(
  gpu: Gpu,
  run: RunDescription,
  dataset: Dataset,
  events: TrainEvents = {},
  signal?: AbortSignal,
): Promise<TrainResult> {
  const { config, folder } = run;
  const loader = await openLoader(run);
  try {
    const totalSteps = totalStepsOf(config, loader.stepsPerEpoch);
    const trainer = new Trainer(gpu, config, totalSteps, loader.stepsPerEpoch);
    const notices = loader.notice ? [loader.notice] : [];
    let done = 0;
    let best: number | null = null;
    if (hasCheckpoint(folder)) {
      const progress = loadCheckpoint(folder, trainer.arena, trainer.optimizer);
      done = progress.step;
      best = progress.bestValidation;
      if (progress.lossScale) trainer.lossScale?.load(progress.lossScale);
    } else {
      notices.push(...(await loadStartWeights(config, trainer.arena)));
    }
    const validation = await openValidation(run, dataset);
    await writeRunFolder(run);
    const log = await MetricsLog.open(folder, done);
    events.onStart?.({ totalSteps, firstStep: done, parameters: trainer.arena.parameterCount, notices });
    const add = (record: MetricsRecord): void => {
      log.add(record);
      events.onRecord?.(record);
    };
    const save = async (): Promise<void> => {
      const lossScale = await trainer.lossScale?.state();
      const progress = { step: done, bestValidation: best, ...(lossScale ? { lossScale } : {}) };
      await saveCheckpoint(folder, trainer.arena, trainer.optimizer, progress);
      await log.draw();
      events.onCheckpoint?.(done);
    };
    /** The step whose metrics are not on the host yet: the next one is recorded while the GPU works on it. */
    let pending: Promise<void> = Promise.resolve();
    let lastTime = performance.now();
    const wait = new DataWait();
    let [lastWait, stepsTime] = [0, 0];
    while (done < totalSteps && !signal?.aborted) {
      const epoch = Math.floor(done / loader.stepsPerEpoch);
      const batch = await wait.for(loader.batch(epoch, done % loader.stepsPerEpoch));
      const waited = wait.milliseconds - lastWait;
      lastWait = wait.milliseconds;
      const step = done;
      const metrics = trainer.step(batch, step);
      wait.busyUntil(metrics);
      await pending;
      pending = metrics.then((values) => {
        const now = performance.now();
        const time = now - lastTime;
        lastTime = now;
        stepsTime += time;
        const speed = { imagesPerSecond: (1000 * config.batchSize) / time, dataWait: Math.min(1, waited / time) };
        add({ kind: 'train', step: step + 1, epoch, ...values, learningRate: trainer.learningRate(step), ...speed });
      });
      pending.catch(() => undefined);
      await gpu.flush();
      done += 1;
      const last = done === totalSteps;
      if (last || done % config.validateEvery === 0 || done % config.checkpointEvery === 0) await pending;
      if (last || done % config.validateEvery === 0) {
        const values = await validate(trainer, validation);
        if (values) {
          add({ kind: 'validation', step: done, epoch, ...values });
          best = Math.min(best ?? Number.POSITIVE_INFINITY, values.total);
        }
        lastTime = performance.now();
      }
      if (last || done % config.checkpointEvery === 0) {
        await save();
        lastTime = performance.now();
      }
    }
    await pending;
    const completed = done >= totalSteps;
    if (!completed) await save();
    else
      await writeFileAtomic(
        join(folder, 'model.safetensors'),
        safetensorsChunks(await trainer.arena.state(), { format: 'pt' }),
      );
    // Maps are made as `evaluate` and `localize` make them from the saved weights.
    trainer.model.dtype = 'f32';
    return { trainer, totalSteps, stepsDone: done, completed, dataWait: wait.milliseconds / stepsTime };
  } finally {
    await loader.close();
  }
}
