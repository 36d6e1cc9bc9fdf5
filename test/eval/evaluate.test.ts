import { describe, expect, it, vi } from 'vitest';
import type { Dataset, GrayImage, GroundedPhrase, Mask, Split, Study } from '../../src/data/types.ts';
import { fixedPriors } from '../../src/eval/baselines.ts';
import { evaluateGrounding } from '../../src/eval/evaluate.ts';
import type { Localizer } from '../../src/eval/localizer.ts';
import { negatedFinding, swapSides } from '../../src/eval/probes.ts';
import { chooseThreshold, THRESHOLD_CANDIDATES } from '../../src/eval/score.ts';

const WIDTH = 8;
const HEIGHT = 16;

/** Image left is the patient's right: a phrase with "right" marks the left four columns, "left" the others. */
function sideMask(side: string): Mask {
  const data = Uint8Array.from({ length: WIDTH * HEIGHT }, (_, i) => (i % WIDTH < 4 === (side === 'right') ? 1 : 0));
  return { width: WIDTH, height: HEIGHT, data: side === '' ? data.fill(0) : data };
}

function corpus(rows: readonly { split: Split; category: string; side: string }[]): Dataset {
  const studies = rows.map(({ split }, i): Study => ({ id: `s${i}`, patientId: `p${i}`, split, report: '' }));
  const phrases = rows.map(
    ({ category, side }, i): GroundedPhrase => ({
      studyId: `s${i}`,
      phrase: `${side} ${category}`,
      category,
      attributes: { side, zone: 'lower' },
      loadMask: async () => sideMask(side),
    }),
  );
  const image: GrayImage = { width: WIDTH, height: HEIGHT, data: new Float32Array(WIDTH * HEIGHT) };
  return { name: 'sides', studies, phrases, loadImage: async () => image };
}

/** Grid of 4x4 over the padded 16x16 square: the image is its columns 1 and 2. */
function sideReader(similarity: (text: string, column: number) => number): Localizer {
  return {
    gridSize: { width: 4, height: 4 },
    localize: async (_, texts) =>
      texts.map((text) => ({
        grid: { width: 4, height: 4, data: Float32Array.from({ length: 16 }, (_, i) => similarity(text, i % 4)) },
      })),
  };
}

const readsSides = sideReader((text, column) => {
  if (text.startsWith('no ')) return -0.5;
  return column === (text.includes('right') ? 1 : 2) ? 0.75 : -0.25;
});
const ignoresSides = sideReader((_, column) => (column === 1 ? 0.75 : -0.25));

const rows = [
  { split: 'train', category: 'effusion', side: 'left' },
  { split: 'validation', category: 'effusion', side: 'right' },
  { split: 'test', category: 'effusion', side: 'right' },
  { split: 'test', category: 'effusion', side: 'left' },
  { split: 'test', category: 'edema', side: 'right' },
  { split: 'test', category: 'effusion', side: '' },
] as const;
const base = { dataset: corpus(rows), sigma: 0, resamples: 20 };

describe('evaluateGrounding', () => {
  it('scores a localizer in the frame of masks that are not square', async () => {
    const result = await evaluateGrounding({ ...base, localizer: readsSides });
    const [minmax, cosine] = result.presets;
    // 4 pixels a cell: the 8 columns of a "right" phrase are .375 .625 .625 .375 | .125 -.125 -.25 -.25.
    for (const preset of [minmax, cosine]) {
      const [model] = preset!.methods;
      expect(model!.overall.macro.pointing.value).toBe(1);
      expect(model!.overall.macro.auroc.value).toBe(1);
      expect(model!.overall.classes.effusion!.iou.count).toBe(2);
    }
    // 5 columns exceed .1, 4 exceed .2 and .3, 2 exceed .4 and .5; 4 of 8 are marked.
    expect(cosine!.methods[0]!.overall.macro.iou.value).toBeCloseTo((4 / 5 + 1 + 1 + 2 / 4 + 2 / 4) / 5, 6);
    // Stretched from [-.25, .625]: .43 1 1 .43 | -.14 -.71 -1 -1.
    expect(minmax!.methods[0]!.overall.macro.iou.value).toBeCloseTo((4 * 1 + 2 / 4) / 5, 6);
    expect(result.counts).toMatchObject({ images: 3, phrases: 3, emptyGroundTruth: 1, validationPhrases: 1 });
    expect(result.notice).toMatch(/not for diagnosis/);
  });

  it('chooses a threshold on the validation phrases and holds it', async () => {
    const { presets } = await evaluateGrounding({ ...base, localizer: readsSides, presets: ['paper-cosine'] });
    const [model] = presets[0]!.methods;
    // Exactly the 4 marked columns exceed thresholds from .125 up to .375: the first candidate is .15.
    expect(model!.bestThreshold).toBe(0.15);
    expect(model!.overall.macro.iouBest.value).toBeCloseTo(1, 6);
    const without = await evaluateGrounding({ ...base, localizer: readsSides, validationPhrases: [] });
    expect(without.presets[0]!.methods[0]!.bestThreshold).toBeUndefined();
    expect(without.presets[0]!.methods[0]!.overall.macro.iouBest.value).toBeNaN();
  });

  it('sees by the swap probe whether the side is read', async () => {
    const reading = await evaluateGrounding({ ...base, localizer: readsSides, trainedCategories: [] });
    expect(reading.presets[0]!.sideSwap).toMatchObject({ phrases: 3, swappedIou: { value: 0 }, relativeDrop: 1 });
    // As cosines the mirrored map exceeds .1 in 5 columns, one of them marked: IoU 1 / 8 at one of 5 thresholds.
    const swap = reading.presets[1]!.sideSwap!;
    expect(swap.swappedIou.value).toBeCloseTo(1 / 8 / 5, 6);
    expect(swap.drop.value).toBeCloseTo(swap.iou.value - swap.swappedIou.value, 12);
    const blind = await evaluateGrounding({ ...base, localizer: ignoresSides });
    expect(blind.presets[0]!.sideSwap).toMatchObject({ drop: { value: 0, low: 0, high: 0 }, relativeDrop: 0 });
  });

  it('compares a denied finding with the phrase', async () => {
    const { negation } = await evaluateGrounding({ ...base, localizer: readsSides, trainedCategories: [] });
    expect(negation).toMatchObject({ phrases: 3, positivePeak: { value: 0.75 }, negativePeak: { value: -0.5 } });
    expect(negation!.peakDrop.value).toBeCloseTo(1.25, 12);
    expect(negation!.ordered.value).toBe(1);
    const blind = await evaluateGrounding({ ...base, localizer: ignoresSides });
    expect(blind.negation!.ordered.value).toBe(0.5);
  });

  it('compares the denial with the name as well, so that a taste for longer texts is found out', async () => {
    const prefersLength = sideReader((text) => text.length / 100);
    const fooled = await evaluateGrounding({ ...base, localizer: prefersLength });
    expect(fooled.negation!.ordered.value).toBe(1);
    expect(fooled.negation!.orderedByName.value).toBe(0);
    const reading = await evaluateGrounding({ ...base, localizer: readsSides });
    expect(reading.negation!.orderedByName.value).toBe(1);
  });

  it('keeps classes that training never showed apart', async () => {
    const result = await evaluateGrounding({ ...base, localizer: readsSides });
    expect(result.counts.unseenClasses).toEqual(['edema']);
    const [model] = result.presets[0]!.methods;
    expect(Object.keys(model!.overall.classes)).toEqual(['effusion']);
    expect(Object.keys(model!.unseen!.overall.classes)).toEqual(['edema']);
    const unknown = await evaluateGrounding({ ...base, localizer: readsSides, trainedCategories: [] });
    expect(unknown.counts.unseenClasses).toEqual([]);
    expect(unknown.presets[0]!.methods[0]!.unseen).toBeUndefined();
  });

  it('sets priors beside the model and tells the paired difference', async () => {
    const result = await evaluateGrounding({ ...base, localizer: readsSides, priors: fixedPriors({ gridSize: 4 }) });
    const { methods, differences } = result.presets[0]!;
    expect(methods.map((method) => method.name)).toEqual([
      'model',
      'random map',
      'all ones',
      'centre Gaussian',
      'two-lung Gaussian',
    ]);
    const ones = methods.find((method) => method.name === 'all ones')!;
    expect(ones.overall.macro.iou.value).toBe(0.5);
    expect(ones.overall.macro.pointing.value).toBe(0.5);
    // A prior has no similarity scale of its own: it is the same baseline under every preset.
    const scores = (preset: number) => result.presets[preset]!.methods.slice(1).map((method) => method.overall.macro);
    expect(scores(1)).toEqual(scores(0));
    const difference = differences.find(({ prior }) => prior === 'all ones')!;
    expect(difference.iou.value).toBeCloseTo(methods[0]!.overall.macro.iou.value - 0.5, 12);
  });

  it('makes sub-tables of attributes with few values', async () => {
    const { presets } = await evaluateGrounding({ ...base, localizer: readsSides });
    const subgroups = presets[0]!.methods[0]!.subgroups.map(({ attribute, value }) => `${attribute}=${value}`);
    expect(subgroups).toEqual(['side=left', 'side=right']);
  });

  it('reports progress and stops between images when aborted', async () => {
    const onProgress = vi.fn();
    await evaluateGrounding({ ...base, localizer: readsSides, onProgress });
    expect(onProgress.mock.calls.map(([p]) => `${p.stage} ${p.done}/${p.total}`)).toEqual([
      'validation 1/1',
      'test 1/4',
      'test 2/4',
      'test 3/4',
      'test 4/4',
    ]);
    const controller = new AbortController();
    const stopping = evaluateGrounding({
      ...base,
      localizer: readsSides,
      signal: controller.signal,
      onProgress: ({ stage }) => stage === 'test' && controller.abort(new Error('stopped by the user')),
    });
    await expect(stopping).rejects.toThrow('stopped by the user');
  });

  it('is reproducible', async () => {
    const options = { ...base, localizer: readsSides, priors: fixedPriors({ gridSize: 4 }) };
    expect(await evaluateGrounding(options)).toEqual(await evaluateGrounding(options));
  });

  it('explains what is wrong with a localizer, a mask or a split', async () => {
    const broken: Localizer = { ...readsSides, localize: async () => [] };
    await expect(evaluateGrounding({ ...base, localizer: broken })).rejects.toThrow(
      /0 results for 1 phrases of study s1/,
    );
    const nan = sideReader(() => Number.NaN);
    await expect(evaluateGrounding({ ...base, localizer: nan })).rejects.toThrow(/"right effusion" in study s1 is NaN/);
    await expect(evaluateGrounding({ ...base, localizer: readsSides, phrases: [] })).rejects.toThrow(
      /Nothing to evaluate/,
    );
    const image: GrayImage = { width: 9, height: 9, data: new Float32Array(81) };
    const square = { ...base.dataset, loadImage: async () => image };
    await expect(evaluateGrounding({ ...base, localizer: readsSides, dataset: square })).rejects.toThrow(
      /mask of study s1 is 8x16 but its image 9x9/,
    );
    const orphan = { ...base.dataset, studies: [] };
    await expect(evaluateGrounding({ ...base, localizer: readsSides, dataset: orphan })).rejects.toThrow(
      /belongs to study s0, which the dataset does not list/,
    );
  });
});

describe('probe phrases', () => {
  it('swaps whole words only and keeps capitals', () => {
    expect(swapSides('Left-sided effusion, right lung clear.')).toBe('Right-sided effusion, left lung clear.');
    expect(swapSides('RIGHT apex')).toBe('LEFT apex');
    expect(swapSides('bilateral upright view, leftover fluid')).toBeUndefined();
  });

  it('denies the class, not the wording', () => {
    expect(negatedFinding(corpus(rows).phrases[0]!)).toBe('no effusion');
  });
});

describe('chooseThreshold', () => {
  it('weighs classes alike and takes the lowest of equals', () => {
    const at = (...good: number[]) => THRESHOLD_CANDIDATES.map((_, k) => (good.includes(k) ? 1 : 0));
    const phrases = [
      { category: 'a', iou: at(3) },
      { category: 'a', iou: at(3) },
      { category: 'b', iou: at(5) },
      { category: 'c', iou: at(5) },
    ];
    expect(chooseThreshold(phrases)).toBe(THRESHOLD_CANDIDATES[5]);
    expect(chooseThreshold([{ category: 'a', iou: at(7, 9) }])).toBe(THRESHOLD_CANDIDATES[7]);
    expect(chooseThreshold([])).toBeUndefined();
  });
});
