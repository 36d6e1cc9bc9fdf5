import { describe, expect, it } from 'vitest';
import { phraseSimilarity } from '../../src/autograd/ops/contrastive.ts';
import { reshape } from '../../src/autograd/ops/shape.ts';
import { noGrad } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { phantomVocabulary } from '../../src/data/phantom/vocabulary.ts';
import { encodePhrase } from '../../src/data/text/encode.ts';
import { createTokenizer } from '../../src/data/text/tokenizer.ts';
import { ModelLocalizer } from '../../src/eval/modelLocalizer.ts';
import { GroundingModel } from '../../src/models/grounding.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { useGpu } from '../support/gpu.ts';
import { uniform } from '../support/numeric.ts';
import { tinyConfig } from '../support/tinyRun.ts';

const gpu = useGpu();

function open() {
  const vocabulary = phantomVocabulary();
  const config = tinyConfig({ model: { text: { vocabulary: vocabulary.length } } });
  const model = new GroundingModel(config.model);
  const arena = new ParameterArena(gpu(), model, { seed: 3 });
  const tokenizer = createTokenizer({ vocabulary });
  return { localizer: new ModelLocalizer(gpu(), model, tokenizer, config), model, tokenizer, arena };
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

  it('keeps as many phrases as it may, and encodes the first of them again when it is asked', async () => {
    const { model, tokenizer, arena } = open();
    const options = { ...tinyConfig(), keptPhrases: 2 };
    const localizer = new ModelLocalizer(gpu(), model, tokenizer, options);
    const encoded = await localizer.encodeImage(image);
    const dispatches: number[] = [];
    for (const phrase of ['edema', 'effusion', 'effusion', 'edema', 'opacity', 'edema', 'opacity']) {
      const before = gpu().counters.dispatches;
      await localizer.localizeEncoded(encoded, [phrase]);
      dispatches.push(gpu().counters.dispatches - before);
    }
    const [first = 0, , known = 0] = dispatches;
    expect(known).toBeLessThan(first);
    expect(dispatches).toEqual([first, first, known, known, first, first, known]);
    encoded.dispose();
    arena.dispose();
  });

  it('reads a phrase as the model reads its tokens alone, whatever it is padded to', async () => {
    const { localizer, model, tokenizer, arena } = open();
    const encoded = await localizer.encodeImage(image);
    const [found] = await localizer.localizeEncoded(encoded, ['left pleural effusion']);
    const { ids, sentenceIds } = encodePhrase('left pleural effusion', tokenizer);
    expect(ids.length % 8).not.toBe(0);
    model.setTraining(false);
    const cosines = gpu().scope(() =>
      noGrad(() => {
        const whole = (values: readonly number[]) => tensor(gpu(), values, [1, ids.length], { dtype: 'i32' });
        const tokens = model.encodeText(whole(ids), whole(ids.map(() => 1)));
        const { mean } = model.poolUnits(tokens, { ids: whole(sentenceIds), count: 1 });
        return phraseSimilarity(encoded.regions, reshape(mean, [mean.size]).array);
      }),
    );
    const expected = (await cosines.read()) as Float32Array;
    found!.grid.data.forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-5);
    });
    cosines.dispose();
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
