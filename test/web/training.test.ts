import { describe, expect, it } from 'vitest';
import { type Checkpoint, parseCheckpoint } from '../../web/src/worker/checkpoint.ts';
import { PageTraining } from '../../web/src/worker/training.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();

async function savedAfter(training: PageTraining): Promise<Checkpoint> {
  return parseCheckpoint('saved', await training.files());
}

describe('a training of the page', () => {
  it('goes on from what was saved as if it had not stopped', async () => {
    const training = await PageTraining.open(gpu(), 100);
    await training.step();
    await training.step();
    const saved = await savedAfter(training);
    const third = await training.step();
    const resumed = await PageTraining.open(gpu(), 1, saved);
    expect([resumed.done, resumed.steps]).toEqual([2, 100]);
    expect(await resumed.step()).toEqual(third);
    expect((await savedAfter(resumed)).files.weights.bytes).toEqual((await savedAfter(training)).files.weights.bytes);
  });

  it('begins anew with the weights of a model whose run has ended', async () => {
    const ended = await PageTraining.open(gpu(), 1);
    const untrained = await savedAfter(ended);
    await ended.step();
    const saved = await savedAfter(ended);
    const next = await PageTraining.open(gpu(), 7, saved);
    expect([next.done, next.steps]).toEqual([0, 7]);
    const name = 'model.visual.conv1.weight';
    const weights = (checkpoint: Checkpoint) => checkpoint.weights.tensor(name).data;
    expect(weights(await savedAfter(next))).toEqual(weights(saved));
    expect(weights(saved)).not.toEqual(weights(untrained));
  });
});
