import { describe, expect, it } from 'vitest';
import { phantomVocabulary } from '../../src/data/phantom/vocabulary.ts';
import { createTokenizer } from '../../src/data/text/tokenizer.ts';
import { ModelLocalizer } from '../../src/eval/modelLocalizer.ts';
import { GroundingModel } from '../../src/models/grounding.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { useGpu } from '../support/gpu.ts';
import { uniform } from '../support/numeric.ts';
import { tinyConfig } from '../support/tinyRun.ts';

const gpu = useGpu();

function open(): { localizer: ModelLocalizer; model: GroundingModel; arena: ParameterArena } {
  const vocabulary = phantomVocabulary();
  const config = tinyConfig({ model: { text: { vocabulary: vocabulary.length } } });
  const model = new GroundingModel(config.model);
  const arena = new ParameterArena(gpu(), model, { seed: 3 });
  return { localizer: new ModelLocalizer(gpu(), model, createTokenizer({ vocabulary }), config), model, arena };
}

const image = { width: 40, height: 32, data: Float32Array.from(uniform(5, 40 * 32), Math.abs) };
const phrases = ['left pleural effusion', 'right pneumothorax'];

describe('ModelLocalizer with an image that is kept', () => {
  it('gives what it gives for the image and all phrases at once', async () => {
    const { localizer, arena } = open();
    const together = await localizer.localize(image, phrases);
    const encoded = await localizer.encodeImage(image);
    for (const [i, phrase] of phrases.entries()) {
      expect(await localizer.localizeEncoded(encoded, [phrase])).toEqual([together[i]]);
    }
    encoded.dispose();
    arena.dispose();
  });

  it('runs the image tower once, and the text tower once per phrase', async () => {
    const { localizer, arena } = open();
    const count = async (work: () => Promise<unknown>): Promise<number> => {
      const before = gpu().counters.dispatches;
      await work();
      return gpu().counters.dispatches - before;
    };
    const whole = await count(() => localizer.localize(image, ['left pleural effusion']));
    const encoded = await localizer.encodeImage(image);
    const another = await count(() => localizer.localizeEncoded(encoded, ['right pneumothorax']));
    const again = await count(() => localizer.localizeEncoded(encoded, ['right pneumothorax']));
    const tower = await count(async () => (await localizer.encodeImage(image)).dispose());
    expect(another + tower).toBe(whole);
    expect(again).toBeLessThan(another);
    encoded.dispose();
    arena.dispose();
  });

  it('leaves nothing on the GPU, and a training model as it was', async () => {
    const { localizer, model, arena } = open();
    model.setTraining(true);
    const before = gpu().memoryReport().liveBuffers;
    const encoded = await localizer.encodeImage(image);
    expect(gpu().memoryReport().liveBuffers).toBe(before + 1);
    await localizer.localizeEncoded(encoded, phrases);
    encoded.dispose();
    expect(gpu().memoryReport().liveBuffers).toBe(before);
    expect(model.training).toBe(true);
    arena.dispose();
  });
});
