import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { createBatchSource } from '../../src/data/batches.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { mergeConfig, parseRunConfig } from '../../src/train/config.ts';
import { planStep } from '../../src/train/plan.ts';
import { presets } from '../../src/train/presets.ts';
import { trainRun } from '../../src/train/run.node.ts';
import { newRun, openRunFolder } from '../../src/train/runFolder.node.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../support/gpu.ts';
import { temporaryFolder, tinyConfig } from '../support/tinyRun.ts';

const gpu = useGpu();

const mixed = { precision: 'mixed' };

function needsHalf(context: TestContext): void {
  if (!gpu().device.features.has('shader-f16')) context.skip('This device has no shader-f16.');
}

/** A trainer for tiny phantoms with some of their batches. */
async function start(changes: object) {
  const given = tinyConfig(changes);
  const dataset = await openDataset(given.data);
  const { config, tokenizer } = newRun(join(temporaryFolder(), 'run'), given, dataset);
  const source = createBatchSource(dataset, tokenizer, { ...config, split: 'train' });
  const batches = await Promise.all([0, 1, 2, 3].map((step) => source.batch(0, step)));
  const trainer = new Trainer(gpu(), config, 10, 5);
  onTestFinished(() => trainer.dispose());
  return { trainer, batches };
}

describe('mixed precision', () => {
  it('is refused in a sentence where the device has no f16', async () => {
    if (gpu().device.features.has('shader-f16')) return;
    await expect(start(mixed)).rejects.toThrow(/needs 16-bit floats .* train with --precision f32/);
  });

  for (const chunks of [{}, { chunkSize: 2, checkpointing: 'blocks' }]) {
    it(`follows the f32 run${'chunkSize' in chunks ? ' in chunks, with blocks computed twice' : ''}`, async (context) => {
      needsHalf(context);
      const [full, half] = [await start(chunks), await start({ ...mixed, ...chunks })];
      half.trainer.lossScale?.load({ scale: 256, goodSteps: 0 });
      for (const [step, batch] of full.batches.entries()) {
        const [expected, found] = [await full.trainer.step(batch, step), await half.trainer.step(batch, step)];
        expect(Math.abs(found.total / expected.total - 1), `loss of step ${step}`).toBeLessThan(0.02);
        expect(Math.abs(found.gradNorm! / expected.gradNorm! - 1), `gradient norm of step ${step}`).toBeLessThan(0.1);
        expect(found.lossScale).toBe(256);
      }
    });
  }

  it('takes less memory for activations', async () => {
    const bytes = async (precision: 'f32' | 'mixed'): Promise<number> =>
      (await planStep(parseRunConfig(mergeConfig(presets.phantom, { precision }), 'the test'))).memory.step;
    expect((await bytes('mixed')) / (await bytes('f32'))).toBeLessThan(0.65);
  });

  it('leaves the parameters alone when gradients overflow, and goes on with a smaller scale', async (context) => {
    needsHalf(context);
    const { trainer, batches } = await start(mixed);
    const valuesOf = async () => [...(await trainer.arena.state())].filter(([name]) => !name.includes('running'));
    trainer.lossScale?.load({ scale: 2 ** 40, goodSteps: 7 });
    const before = await valuesOf();
    const metrics = await trainer.step(batches[0]!, 0);
    expect(metrics).toMatchObject({ overflowed: 1, lossScale: 2 ** 39 });
    expect(metrics.gradNorm).toBeUndefined();
    expect(await valuesOf()).toEqual(before);
    trainer.lossScale?.load({ scale: 64, goodSteps: 0 });
    expect((await trainer.step(batches[0]!, 1)).gradNorm).toBeGreaterThan(0);
    expect(await valuesOf()).not.toEqual(before);
  });

  it('ends in the same state when it was interrupted and resumed', async (context) => {
    needsHalf(context);
    const config = tinyConfig(mixed);
    const dataset = await openDataset(config.data);
    const folders = ['whole', 'stopped'].map((name) => join(temporaryFolder(), name));
    const [whole = '', stopped = ''] = folders;
    (await trainRun(gpu(), newRun(whole, config, dataset), dataset)).trainer.dispose();
    const stop = new AbortController();
    const events = { onCheckpoint: () => stop.abort() };
    const part = await trainRun(gpu(), newRun(stopped, config, dataset), dataset, events, stop.signal);
    part.trainer.dispose();
    expect(part.completed).toBe(false);
    (await trainRun(gpu(), openRunFolder(stopped), dataset)).trainer.dispose();
    const [expected, found] = folders.map((folder) => readFileSync(join(folder, 'checkpoint.safetensors')));
    expect(found!.equals(expected!)).toBe(true);
  });
});
