import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createBatchSource } from '../../src/data/batches.ts';
import { openDataset } from '../../src/data/open.node.ts';
import type { Batch } from '../../src/data/types.ts';
import { clipGradNorm } from '../../src/nn/clip.ts';
import { seedModules } from '../../src/nn/module.ts';
import type { RunConfig } from '../../src/train/config.ts';
import { backwardInChunks } from '../../src/train/gradCache.ts';
import { readMetrics } from '../../src/train/metrics.node.ts';
import { trainRun } from '../../src/train/run.node.ts';
import { newRun, openRunFolder } from '../../src/train/runFolder.node.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { uploadBatch } from '../../src/train/upload.ts';
import { useGpu } from '../support/gpu.ts';
import { expectSame } from '../support/pairs.ts';
import { temporaryFolder, tinyConfig } from '../support/tinyRun.ts';

const gpu = useGpu();

const chunked = { batchSize: 5, chunkSize: 2 };

/** A trainer for tiny phantoms with some of their batches. */
async function start(changes: object, count = 3) {
  const given = tinyConfig(changes);
  const dataset = await openDataset(given.data);
  const { config, tokenizer } = newRun(join(temporaryFolder(), 'run'), given, dataset);
  const source = createBatchSource(dataset, tokenizer, { ...config, split: 'train' });
  const batches = await Promise.all(Array.from({ length: count }, (_, step) => source.batch(0, step)));
  return { trainer: trainerOf(config), config, batches };
}

function trainerOf(config: RunConfig): Trainer {
  const trainer = new Trainer(gpu(), config, 10, 5);
  onTestFinished(() => trainer.dispose());
  return trainer;
}

async function valuesOf(trainer: Trainer) {
  return new Map([...(await trainer.arena.state())].map(([name, { data }]) => [name, data]));
}

/** Leaves room for more sentences: another shape of the same batch. */
const wider = (batch: Batch): Batch => ({ ...batch, maxSentences: batch.maxSentences + 8 });

describe('training in chunks', () => {
  it('replays steps to the bits of eager ones, with dropout and batch statistics', async () => {
    const { trainer, config, batches } = await start({ ...chunked, checkpointing: 'blocks' });
    const eager = trainerOf(config);
    for (const [step, batch] of [...batches, ...batches].entries()) {
      await trainer.step(batch, step);
      const { model, arena, optimizer } = eager;
      seedModules(model, config.seed, step);
      optimizer.advance(eager.learningRate(step));
      gpu().scope(() => {
        arena.zeroGrad();
        backwardInChunks(model, uploadBatch(gpu(), batch, false), config.objective, 2);
        optimizer.record(clipGradNorm(arena, config.optimizer.clip ?? 0));
      });
    }
    expect(await valuesOf(trainer)).toEqual(await valuesOf(eager));
  });

  it('is the plain step where one chunk holds the batch', async () => {
    const { trainer, config, batches } = await start({ batchSize: 5 });
    const one = trainerOf({ ...config, chunkSize: 5 });
    for (const [step, batch] of batches.entries()) {
      expect(await one.step(batch, step)).toEqual(await trainer.step(batch, step));
    }
    expect(await valuesOf(one)).toEqual(await valuesOf(trainer));
    expect(await one.evaluate(batches[0]!)).toEqual(await trainer.evaluate(batches[0]!));
  });

  it('follows the plain run where batch norms keep their statistics and nothing drops out', async () => {
    const exact = {
      batchSize: 5,
      frozen: { batchNorm: true },
      model: { text: { dropout: 0 } },
      optimizer: { name: 'sgd', clip: 1 },
      schedule: { name: 'constant', learningRate: 0.05 },
    };
    const { trainer, config, batches } = await start(exact);
    const inChunks = trainerOf({ ...config, chunkSize: 2, checkpointing: 'blocks' });
    const before = await valuesOf(trainer);
    for (const [step, batch] of batches.entries()) {
      const [expected, found] = [await trainer.step(batch, step), await inChunks.step(batch, step)];
      expect(Math.abs(found.total - expected.total)).toBeLessThan(1e-4);
    }
    const after = await valuesOf(trainer);
    expectSame(await valuesOf(inChunks), after, 1e-4);
    const changed = [...after].filter(([name, data]) => data.some((value, i) => value !== before.get(name)![i]));
    expect(changed.length).toBeGreaterThan(20);
    expect(changed.filter(([name]) => name.includes('running'))).toEqual([]);
  });

  it('ends in the same state when it was interrupted and resumed', async () => {
    const config = tinyConfig({ ...chunked, batchSize: 4, checkpointing: 'blocks' });
    const dataset = await openDataset(config.data);
    const folders = ['whole', 'stopped'].map((name) => join(temporaryFolder(), name));
    const [whole = '', stopped = ''] = folders;
    const first = await trainRun(gpu(), newRun(whole, config, dataset), dataset);
    first.trainer.dispose();
    const stop = new AbortController();
    const events = { onCheckpoint: () => stop.abort() };
    const part = await trainRun(gpu(), newRun(stopped, config, dataset), dataset, events, stop.signal);
    part.trainer.dispose();
    expect(part.completed).toBe(false);
    const rest = await trainRun(gpu(), openRunFolder(stopped), dataset);
    rest.trainer.dispose();
    const [expected, found] = folders.map((folder) => readFileSync(join(folder, 'checkpoint.safetensors')));
    expect(found!.equals(expected!)).toBe(true);
    expect(readMetrics(stopped).every(({ total }) => Number.isFinite(total))).toBe(true);
  });

  it('names the tensor that is not finite', async () => {
    const { trainer, batches } = await start(chunked, 1);
    const { data } = (await trainer.arena.state()).get('visual.layer2.0.conv1.weight')!;
    trainer.arena.load([['visual.layer2.0.conv1.weight', data.map((value, i) => (i === 3 ? Number.NaN : value))]]);
    const before = gpu().memoryReport();
    await expect(trainer.step(batches[0]!, 1)).rejects.toThrow(
      /Step 2: .*parameter visual\.layer2\.0\.conv1\.weight \[.*\] has 1 of them/,
    );
    expect(gpu().memoryReport().liveBuffers, 'the search leaves nothing').toBe(before.liveBuffers);
    trainer.arena.load([['visual.layer2.0.conv1.weight', data]]);
    expect((await trainer.step(batches[0]!, 2)).total, 'the trainer is usable').toBeLessThan(100);
    trainer.dispose();
    expect(gpu().memoryReport().liveBuffers).toBeLessThan(before.liveBuffers);
  });

  it('names the block of a bad weight where activations are computed twice', async () => {
    const { trainer, batches } = await start({ ...chunked, checkpointing: 'blocks' }, 1);
    const { data } = (await trainer.arena.state()).get('visual.layer2.0.conv1.weight')!;
    trainer.arena.load([['visual.layer2.0.conv1.weight', data.fill(Number.POSITIVE_INFINITY)]]);
    await expect(trainer.step(batches[0]!, 1)).rejects.toThrow(/visual\.layer2\.0\.conv1\.weight/);
  });

  it('returns to the same memory after many steps, and shares it between shapes', async () => {
    const atStart = gpu().memoryReport();
    const { trainer, batches } = await start(chunked);
    await trainer.step(batches[0]!, 0);
    const first = gpu().memoryReport();
    await trainer.step(wider(batches[0]!), 1);
    const both = gpu().memoryReport();
    for (let step = 2; step < 30; step++) {
      const batch = batches[step % 3]!;
      await trainer.step(step % 2 ? batch : wider(batch), step);
    }
    const after = gpu().memoryReport();
    expect([after.liveBuffers, after.liveBytes]).toEqual([both.liveBuffers, both.liveBytes]);
    const allocated = ({ liveBytes, pooledBytes }: typeof first): number => liveBytes + pooledBytes;
    expect(allocated(after)).toBe(allocated(both));
    expect(allocated(both) - allocated(first)).toBeLessThan(0.3 * allocated(first));
    trainer.dispose();
    const end = gpu().memoryReport();
    expect([end.liveBuffers, end.liveBytes]).toEqual([atStart.liveBuffers, atStart.liveBytes]);
  });
});
