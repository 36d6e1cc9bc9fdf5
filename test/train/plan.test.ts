import { describe, expect, it } from 'vitest';
import { createBatchSource } from '../../src/data/batches.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { createGpu } from '../../src/gpu/create.node.ts';
import { deviceLike, standInGpu } from '../../src/gpu/standIn.ts';
import { fill } from '../../src/kernels/fill.ts';
import { matmul } from '../../src/kernels/matmul.ts';
import type { RunConfig } from '../../src/train/config.ts';
import { estimateSeconds, nominalProfiles } from '../../src/train/deviceProfiles.ts';
import { modelBytes, planSettings, planStep, settingsOf } from '../../src/train/plan.ts';
import { presets } from '../../src/train/presets.ts';
import { newRun } from '../../src/train/runFolder.node.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { temporaryFolder, tinyConfig } from '../support/tinyRun.ts';

/** A real step and a real validation step of the first batch, on a device of their own. */
async function measure(given: RunConfig) {
  const gpu = await createGpu({ defaultLimits: process.env.GROUNDRAY_DEFAULT_LIMITS === '1' });
  try {
    const dataset = await openDataset(given.data);
    const { config, tokenizer } = newRun(`${temporaryFolder()}/run`, given, dataset);
    const source = createBatchSource(dataset, tokenizer, { ...config, split: 'train' });
    const batch = { ...(await source.batch(0, 0)), maxWords: config.maxTokens };
    const trainer = new Trainer(gpu, config, 10, 5);
    const { dispatches } = gpu.counters;
    await trainer.step(batch, 0);
    const used = gpu.counters.dispatches - dispatches;
    await trainer.evaluate(batch);
    await trainer.step(batch, 1);
    const report = gpu.memoryReport();
    trainer.dispose();
    return { report, used, config, device: deviceLike(gpu), sentences: batch.maxSentences };
  } finally {
    gpu.dispose();
  }
}

describe('planStep', () => {
  const cases: Readonly<Record<string, RunConfig>> = {
    plain: tinyConfig(),
    'in chunks': tinyConfig({ batchSize: 5, chunkSize: 2 }),
    'in chunks, with checkpointing': tinyConfig({ batchSize: 6, chunkSize: 3, checkpointing: 'blocks' }),
    'word-local with SGD': tinyConfig({ objective: { objective: 'word-local' }, optimizer: { name: 'sgd' } }),
    'global, partly frozen': tinyConfig({
      objective: { objective: 'global' },
      frozen: { embeddings: true, layers: 1, batchNorm: true },
    }),
    'phantom-mini': {
      ...presets['phantom-mini']!,
      data: { kind: 'phantom', count: 40, size: 64, seed: 0, splits: { train: 0.5, validation: 0.2, test: 0.3 } },
    },
    'phantom-mini in chunks': {
      ...presets['phantom-mini']!,
      data: { kind: 'phantom', count: 40, size: 64, seed: 0, splits: { train: 0.5, validation: 0.2, test: 0.3 } },
      chunkSize: 5,
    },
  };
  for (const [name, given] of Object.entries(cases)) {
    it(`counts the very bytes and dispatches of a real step: ${name}`, async () => {
      const { report, used, config, device, sentences } = await measure(given);
      const plan = await planStep(config, { device, sentences });
      expect(plan.memory.peak).toBe(report.peakBytes);
      expect(plan.memory.allocated).toBe(report.peakAllocatedBytes);
      expect(plan.dispatches.length).toBe(used);
      const { parameters, gradients, optimizer, batch, step, peak } = plan.memory;
      expect(parameters + gradients + optimizer + batch + step).toBe(peak);
    });
  }

  it('says that the paper’s batch of 128 trains in 8 GiB', async () => {
    const paper = presets.paper!;
    const plan = await planStep(paper);
    expect(plan.batchSize).toBe(128);
    expect(plan.memory.allocated).toBeLessThan(0.9 * 8 * 2 ** 30);
    // Adam keeps two numbers per parameter.
    expect(plan.memory.optimizer / plan.memory.gradients).toBeCloseTo(2, 1);
    const { chunkSize: _, ...whole } = paper;
    expect((await planStep(whole)).memory.peak).toBeGreaterThan(24 * 2 ** 30);
  });
});

describe('planSettings', () => {
  it('goes from the whole batch to single pairs, the chosen chunk among them', () => {
    const sizes = [...settingsOf(tinyConfig({ batchSize: 10, chunkSize: 4 }))].map(({ chunkSize }) => chunkSize);
    expect(sizes).toEqual([10, 5, 4, 3, 2, 1].flatMap((size) => Array(2).fill(size === 10 ? undefined : size)));
  });

  it('stops where smaller chunks would only be slower', async () => {
    const config = tinyConfig({ batchSize: 8 });
    const plenty = await planSettings(config, 2 ** 30);
    expect(plenty.map(({ chunkSize, checkpointing }) => [chunkSize, checkpointing])).toEqual([
      [undefined, 'none'],
      [undefined, 'blocks'],
      [4, 'none'],
    ]);
    const little = await planSettings(config, modelBytes(plenty[0]!) - 1);
    expect(little.length).toBe(1);
  });
});

describe('a stand-in device', () => {
  it('records and counts, reads zeros and refuses what a device would', async () => {
    using gpu = standInGpu();
    const product = gpu.scope(() => matmul(fill(gpu, [64, 32], 1), fill(gpu, [32, 16], 1)));
    expect([...(await product.read())]).toEqual(Array(64 * 16).fill(0));
    expect(gpu.memoryReport().liveBytes).toBe(64 * 16 * 4);
    expect(gpu.counters.dispatches).toBeGreaterThanOrEqual(3);
    expect(() => fill(gpu, [2 ** 30], 0)).toThrow(/does not fit this device/);
  });
});

describe('estimateSeconds', () => {
  it('takes the longer of arithmetic and traffic for each dispatch', () => {
    const profile = { name: 'x', source: 'nominal' as const, flops: 100, bandwidth: 10 };
    const work = [
      { flops: 100, bytes: 1 },
      { flops: 1, bytes: 20 },
    ];
    expect(estimateSeconds(work, profile, 0.5)).toBeCloseTo((1 + 2) / 0.5, 3);
    expect(new Set(nominalProfiles.map(({ name }) => name)).size).toBe(nominalProfiles.length);
  });
});
