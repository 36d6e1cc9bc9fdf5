import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/data/open.node.ts';
import { loadCheckpoint } from '../../src/train/checkpoint.node.ts';
import type { RunConfig } from '../../src/train/config.ts';
import { readMetrics } from '../../src/train/metrics.node.ts';
import { type TrainEvents, trainRun } from '../../src/train/run.node.ts';
import { newRun, openRunFolder } from '../../src/train/runFolder.node.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../support/gpu.ts';
import { temporaryFolder, tinyConfig } from '../support/tinyRun.ts';

const gpu = useGpu();

async function start(config: RunConfig, events?: TrainEvents, signal?: AbortSignal) {
  const folder = join(temporaryFolder(), 'run');
  const dataset = await openDataset(config.data);
  const run = newRun(folder, config, dataset);
  const result = await trainRun(gpu(), run, dataset, events, signal);
  result.trainer.dispose();
  return { folder, dataset, result };
}

const checkpointOf = (folder: string): Buffer => readFileSync(join(folder, 'checkpoint.safetensors'));

describe('a training run', () => {
  it('gives the same bits for the same seed, and others for another one', async () => {
    const [first, second, other] = [
      await start(tinyConfig()),
      await start(tinyConfig()),
      await start(tinyConfig({ seed: 5 })),
    ];
    expect(checkpointOf(first.folder).equals(checkpointOf(second.folder))).toBe(true);
    expect(checkpointOf(first.folder).equals(checkpointOf(other.folder))).toBe(false);
  });

  it('ends in the same state when it was interrupted and resumed', async () => {
    const whole = await start(tinyConfig());
    const stop = new AbortController();
    const events: TrainEvents = { onCheckpoint: () => stop.abort() };
    const { folder, dataset, result } = await start(tinyConfig(), events, stop.signal);
    expect(result.completed).toBe(false);
    expect(result.stepsDone).toBeLessThan(6);
    const rest = await trainRun(gpu(), openRunFolder(folder), dataset);
    rest.trainer.dispose();
    expect(rest.completed).toBe(true);
    expect(checkpointOf(folder).equals(checkpointOf(whole.folder))).toBe(true);
    expect(
      readMetrics(folder)
        .filter(({ kind }) => kind === 'train')
        .map(({ step }) => step),
    ).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('drops the records of steps after its checkpoint when it goes on after a crash', async () => {
    const { folder, dataset } = await start(tinyConfig({ steps: 3 }));
    writeFileSync(
      join(folder, 'metrics.jsonl'),
      '{"kind":"train","step":1,"total":1}\n{"kind":"train","step":9,"total":1}\n{"kind":"tr',
    );
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, steps: 4 }));
    const result = await trainRun(gpu(), openRunFolder(folder), dataset);
    result.trainer.dispose();
    expect(
      readMetrics(folder)
        .filter(({ kind }) => kind === 'train')
        .map(({ step }) => step),
    ).toEqual([1, 4]);
  });

  it('writes curves, weights and a log that a program can read', async () => {
    const { folder } = await start(tinyConfig());
    for (const file of ['loss.svg', 'accuracy.svg', 'model.safetensors', 'vocab.txt', 'config.json']) {
      expect(existsSync(join(folder, file)), file).toBe(true);
    }
    const records = readMetrics(folder);
    expect(records.every(({ total }) => Number.isFinite(total))).toBe(true);
    const waits = records.flatMap(({ kind, dataWait }) => (kind === 'train' ? [dataWait ?? Number.NaN] : []));
    expect(waits.every((share) => share >= 0 && share <= 1)).toBe(true);
    expect(records.some(({ kind }) => kind === 'validation')).toBe(true);
  });

  it('stops at a loss that is not finite, names the tensor, and keeps the last good checkpoint', async () => {
    const config = tinyConfig({ checkpointEvery: 1 });
    const { folder, dataset } = await start({ ...config, steps: 1 });
    const before = checkpointOf(folder);
    const run = openRunFolder(folder);
    const trainer = new Trainer(gpu(), run.config, 6, 5);
    loadCheckpoint(folder, trainer.arena, trainer.optimizer);
    const { createBatchSource } = await import('../../src/data/batches.ts');
    const source = createBatchSource(dataset, run.tokenizer, { ...run.config, split: 'train' });
    const batch = await source.batch(0, 0);
    const parameters = await trainer.arena.state();
    const [poisoned, untouched] = ['global_embedder.bias', 'local_embedder.weight'];
    trainer.arena.load([
      [poisoned!, parameters.get(poisoned!)!.data.map((value, i) => (i === 3 ? Number.NaN : value))],
    ]);
    await expect(trainer.step(batch, 1)).rejects.toThrow(
      /Step 2: .*parameter global_embedder\.bias \[16\] has 1 of them/,
    );
    const after = await trainer.arena.state();
    expect(after.get(untouched!)?.data).toEqual(parameters.get(untouched!)?.data);
    batch.images[5] = Number.NaN;
    expect(() => trainer.step(batch, 1)).toThrow(/The image of study .* not a finite number/);
    expect(checkpointOf(folder).equals(before)).toBe(true);
    trainer.dispose();
  });

  it('returns to the same memory after many steps', async () => {
    const config = tinyConfig({ model: { text: { vocabulary: 300 } } });
    const dataset = await openDataset(config.data);
    const run = newRun(join(temporaryFolder(), 'run'), config, dataset);
    const trainer = new Trainer(gpu(), run.config, 100, 5);
    const { createBatchSource } = await import('../../src/data/batches.ts');
    const source = createBatchSource(dataset, run.tokenizer, { ...run.config, split: 'train' });
    const batch = await source.batch(0, 0);
    await trainer.step(batch, 0);
    const before = gpu().memoryReport();
    for (let step = 1; step <= 100; step++) await trainer.step(batch, step);
    const after = gpu().memoryReport();
    expect([after.liveBuffers, after.liveBytes]).toEqual([before.liveBuffers, before.liveBytes]);
    trainer.dispose();
  });

  it('leaves nothing behind when the data are too few for a batch, so that the folder can be used again', async () => {
    const config = tinyConfig({ batchSize: 1000 });
    const folder = join(temporaryFolder(), 'run');
    const dataset = await openDataset(config.data);
    await expect(trainRun(gpu(), newRun(folder, config, dataset), dataset)).rejects.toThrow(/fewer than one batch/);
    expect(existsSync(folder)).toBe(false);
  });

  it('refuses a folder that holds a run, and a checkpoint of another model', async () => {
    const { folder, dataset } = await start(tinyConfig({ steps: 1 }));
    expect(() => newRun(folder, tinyConfig(), dataset)).toThrow(/--resume/);
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    const trainer = new Trainer(gpu(), { ...config, model: { ...config.model, dimension: 8 } }, 1, 1);
    expect(() => loadCheckpoint(folder, trainer.arena)).toThrow(/this model expects/);
    trainer.dispose();
  });
});
