import { afterAll, describe, expect, it } from 'vitest';
import { PHANTOM_AUGMENTATION } from '../../src/data/augment.ts';
import { createBatchLoader, type LoaderOptions } from '../../src/data/loader.node.ts';
import { phantomVocabulary } from '../../src/data/phantom/vocabulary.ts';
import type { Batch } from '../../src/data/types.ts';

const options: LoaderOptions = {
  dataset: { kind: 'phantom', seed: 3, count: 27, size: 32, splits: { train: 22, validation: 2, test: 3 } },
  tokenizer: { vocabulary: phantomVocabulary(), lowerCase: true },
  split: 'train',
  batchSize: 4,
  imageSize: 32,
  maxTokens: 64,
  seed: 5,
  augment: PHANTOM_AUGMENTATION,
  keepSentences: 0.8,
};
const closing: (() => Promise<void>)[] = [];
const open = async (changes: Partial<LoaderOptions> = {}) => {
  const loader = await createBatchLoader({ ...options, ...changes });
  closing.push(loader.close);
  return loader;
};
afterAll(() => Promise.all(closing.map((close) => close())));

describe('createBatchLoader', () => {
  it('makes the same batches on a worker thread as on the main thread', async () => {
    const worker = await open({ workers: 2 });
    const direct = await open({ workers: 0 });
    expect(worker.notice).toBeUndefined();
    expect([worker.workers, direct.workers]).toEqual([2, 0]);
    for (const [epoch, step] of [
      [0, 0],
      [0, 1],
      [1, 4],
    ] as const) {
      expect(await worker.batch(epoch, step)).toEqual(await direct.batch(epoch, step));
    }
  });

  it('drops the last partial batch and uses each study at most once per epoch, in another order each epoch', async () => {
    const loader = await open({ workers: 0 });
    expect(loader.stepsPerEpoch).toBe(5);
    const epochs: string[][] = [];
    for (const epoch of [0, 1]) {
      const ids: string[] = [];
      for (let step = 0; step < 5; step++) ids.push(...(await loader.batch(epoch, step)).studyIds);
      expect(new Set(ids).size).toBe(20);
      expect(ids.every((id) => id.includes('-train-'))).toBe(true);
      epochs.push(ids);
    }
    expect(epochs[0]).not.toEqual(epochs[1]);
    await expect(loader.batch(0, 5)).rejects.toThrow(/steps 0 to 4/);
  });

  it('resumes from an epoch and a step alone', async () => {
    const whole: Batch[] = [];
    for await (const { batch } of (await open()).batches()) {
      whole.push(batch);
      if (whole.length === 8) break;
    }
    const resumed: Batch[] = [];
    for await (const { batch, epoch, step } of (await open({ workers: 0 })).batches(1, 1)) {
      if (resumed.length === 0) expect([epoch, step]).toEqual([1, 1]);
      resumed.push(batch);
      if (resumed.length === 2) break;
    }
    expect(resumed).toEqual(whole.slice(6, 8));
  });

  it('gives images in [-1, 1] and padded tokens with a mask', async () => {
    const { images, inputIds, attentionMask, sentenceIds, wordIds, tokens, maxSentences, maxWords } = await (
      await open({ workers: 0 })
    ).batch(0, 0);
    expect(images.length).toBe(4 * 32 * 32);
    expect(Math.min(...images)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...images)).toBeLessThanOrEqual(1);
    expect(tokens).toBe(64);
    expect(Math.max(...sentenceIds)).toBe(maxSentences - 1);
    expect(Math.max(...wordIds)).toBe(maxWords - 1);
    inputIds.forEach((id, i) => {
      if (attentionMask[i] === 1) return;
      expect([id, sentenceIds[i], wordIds[i]]).toEqual([0, -1, -1]);
    });
  });

  it('does not change images or reports when augmentation is off', async () => {
    const { augment: _augment, keepSentences: _keep, ...plain } = options;
    const loader = await createBatchLoader({ ...plain, workers: 0, shuffle: false });
    expect((await loader.batch(0, 1)).images).toEqual((await loader.batch(7, 1)).images);
    expect((await loader.batch(0, 1)).inputIds).toEqual((await loader.batch(7, 1)).inputIds);
  });

  it('marks studies with equal reports', async () => {
    const { keepSentences: _keep, ...plain } = options;
    const loader = await createBatchLoader({ ...plain, workers: 0 });
    const { reportKeys } = await loader.batch(0, 0);
    expect([...reportKeys]).toEqual([0, 1, 2, 3]);
  });

  it('says so when a split has less than one batch, also from a worker', async () => {
    for (const workers of [0, 1]) {
      await expect(open({ split: 'validation', workers })).rejects.toThrow(/validation split has 2 usable studies/);
    }
  });
});
