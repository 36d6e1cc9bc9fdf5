import { describe, expect, it } from 'vitest';
import { createTokenizer } from '../../src/data/text/tokenizer.ts';
import { startModel } from '../../src/train/startModel.ts';
import { type Checkpoint, parseCheckpoint } from '../../web/src/worker/checkpoint.ts';
import { PageTraining } from '../../web/src/worker/training.ts';
import { useGpu } from '../support/gpu.ts';
import { smallResNet, weightFile } from '../support/towerFiles.ts';

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
    expect((await resumed.files()).weights.bytes).toEqual((await training.files()).weights.bytes);
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

  it('begins with published weights of one encoder, and start values for the rest', async () => {
    const { config, vocabulary, state } = startModel([weightFile('resnet.safetensors', smallResNet())]);
    const tokenizer = createTokenizer({ vocabulary, lowerCase: config.lowerCase });
    const model = { name: 'resnet', config, tokenizer, weights: state, calibration: undefined };
    const training = await PageTraining.open(gpu(), 7, model);
    const { weights } = await savedAfter(training);
    for (const name of ['visual.layer4.2.conv3.weight', 'local_embedder.weight', 'bert.embeddings.LayerNorm.weight']) {
      expect(weights.tensor(`model.${name}`), name).toEqual(state.tensor(name));
    }
    expect(training.config).toMatchObject({ imageSize: 224, weights: { visual: 'resnet.safetensors' } });
  });
});
