import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTokenizer } from '../../../src/data/text/tokenizer.ts';
import type { GrayImage } from '../../../src/data/types.ts';
import { similarityMap } from '../../../src/eval/localizer.ts';
import { bioVilLocalizer, encodeForBioVil } from '../../../src/eval/systems/bioVil.ts';
import { encodeForGloria, gloriaLocalizer } from '../../../src/eval/systems/gloria.ts';
import { bioVilInput, gloriaInput, medKlipInput } from '../../../src/eval/systems/images.ts';
import { medKlipLocalizer } from '../../../src/eval/systems/medKlip.ts';
import type { GroundingModel } from '../../../src/models/grounding.ts';
import { loadBioVil } from '../../../src/models/systems/bioVil.ts';
import { loadGloria } from '../../../src/models/systems/gloria.ts';
import { loadMedKlip } from '../../../src/models/systems/medKlip.ts';
import type { LoadedSystem } from '../../../src/models/systems/published.ts';
import { useGpu } from '../../support/gpu.ts';
import { expectClose, uniform } from '../../support/numeric.ts';
import { asFile } from '../../support/systems/files.ts';
import { bert, cosine } from '../../support/systems/plain.ts';
import {
  bioVilPatches,
  bioVilText,
  gloriaImage,
  gloriaWords,
  plainGloriaAttention,
  plainMedKlip,
} from '../../support/systems/plainSystems.ts';
import {
  bioVilImageState,
  clinicalBertState,
  cxrBertState,
  gloriaState,
  medKlipState,
} from '../../support/systems/published.ts';

const gpu = useGpu();

const words = 'small left right effusion pneumo ##thorax lung is dark white no'.split(' ');
const tokenizer = createTokenizer({ vocabulary: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...words] });
const sizes = { vocabulary: tokenizer.vocabularySize, positions: 24 };
const noise = uniform(9, 40 * 30, 0, 1);
/** Blocks of noise, so that resizing leaves something to see. */
const image: GrayImage = {
  width: 400,
  height: 300,
  data: Float32Array.from(
    { length: 400 * 300 },
    (_, i) => noise[Math.floor(i / 4000) * 40 + Math.floor((i % 400) / 10)]!,
  ),
};
const phrase = 'Small left pneumothorax.';

describe('a localizer of GLoRIA', () => {
  const state = gloriaState(sizes);
  let system: LoadedSystem<GroundingModel>;
  beforeAll(async () => {
    system = await loadGloria(gpu(), [asFile(state, 'gloria.ckpt')]);
  });
  afterAll(() => system.arena.dispose());

  it('gives the attention of a plain implementation, or its cosines, on the part that was seen', async () => {
    const input = gloriaInput(image);
    const { regions } = gloriaImage(state, input.size, input.pixels);
    const { ids, units, count } = encodeForGloria(phrase, tokenizer);
    const attention = gloriaLocalizer(gpu(), system.model, tokenizer);
    expect(attention.gridSize).toEqual({ width: 19, height: 19 });
    const [found, again] = await attention.localize(image, [phrase, phrase]);
    expect(found!.frame).toEqual(input.frame);
    const expected = plainGloriaAttention(regions, gloriaWords(state, ids, units, count));
    // Scores of some hundred go into the exponential, so the last digits of f32 show.
    expectClose(found!.grid.data, expected, 3e-3, 1e-6);
    expect(again!.grid.data).toEqual(found!.grid.data);

    const [similar] = await gloriaLocalizer(gpu(), system.model, tokenizer, { map: 'cosine' }).localize(image, [
      phrase,
    ]);
    const all = gloriaWords(
      state,
      ids,
      ids.map(() => 0),
      1,
    );
    expectClose(
      similar!.grid.data,
      regions.map((region) => cosine(region, all[0]!)),
      1e-4,
      1e-4,
    );
  });
});

describe('a localizer of BioViL', () => {
  it('gives the cosines of a plain implementation, on the square that was seen', async () => {
    const [images, texts] = [bioVilImageState(), cxrBertState(sizes)];
    const { model, arena } = await loadBioVil(gpu(), [asFile(images, 'image.pt'), asFile(texts, 'text.bin')]);
    const localizer = bioVilLocalizer(gpu(), model, tokenizer);
    const [first, second] = await localizer.localize(image, [phrase, 'right effusion']);
    const input = bioVilInput(image);
    const patches = bioVilPatches(images, input.size, input.pixels);
    for (const [result, text] of [
      [first, phrase],
      [second, 'right effusion'],
    ] as const) {
      const embedding = bioVilText(texts, encodeForBioVil(text, tokenizer, 24));
      expectClose(
        result!.grid.data,
        patches.map((patch) => cosine(patch, embedding)),
        1e-4,
        1e-4,
      );
    }
    // 281 pixels of 300 rows, in the middle.
    expect(first!.frame).toEqual({ x: 59, y: 9, width: 281, height: 281 });
    expect(similarityMap(first!, image)).toMatchObject({ width: 400, height: 300 });
    arena.dispose();
  });
});

describe('a localizer of MedKLIP', () => {
  it('gives the weights of the finding that a phrase stands for, as a plain implementation does', async () => {
    const [state, text] = [medKlipState(), clinicalBertState(sizes)];
    const { model, arena } = await loadMedKlip(gpu(), [asFile(state, 'medklip.pth'), asFile(text, 'bert.bin')]);
    const findings = [
      { name: 'effusion', description: 'effusion is white.' },
      { name: 'pneumothorax', description: 'left lung is dark, no lung.' },
      { name: 'opacity', description: 'lung white' },
    ];
    const categoryOf = (asked: string) => (asked === 'haze' ? 'Lung Opacity' : undefined);
    const described: number[] = [];
    const onDescribed = (done: number) => void described.push(done);
    const localizer = await medKlipLocalizer(gpu(), model, tokenizer, { findings, categoryOf, onDescribed });
    expect(described).toEqual([1, 2, 3]);
    const [first, second] = await localizer.localize(image, [phrase, 'haze']);
    const input = medKlipInput(image);
    const states = findings.map(({ description }) => {
      const ids = tokenizer.tokenize(description).map((piece) => tokenizer.idOf(piece));
      return bert(text, 'bert.', [tokenizer.clsId, ...ids, tokenizer.sepId], 12, 2).at(-1)![0]!;
    });
    const data = Float64Array.from(input.pixels);
    const { attention } = plainMedKlip(state, { height: 224, width: 224, channels: 3, data }, states);
    expectClose(first!.grid.data, attention[1]!, 2e-4, 1e-8);
    expectClose(second!.grid.data, attention[2]!, 2e-4, 1e-8);
    expect(first!.frame).toEqual({ x: 0, y: 0, width: 400, height: 300 });
    await expect(localizer.localize(image, ['cardiomegaly'])).rejects.toThrow(
      'MedKLIP cannot look for "cardiomegaly", which names none of its findings. It knows 3: effusion, pneumothorax, opacity.',
    );
    arena.dispose();
  });
});
