import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/data/random.ts';
import type { Dataset, Mask } from '../../src/data/types.ts';
import { agreementWith, EVALUATION_SIDE } from '../../src/eval/agreement.ts';
import { evaluateGrounding } from '../../src/eval/evaluate.ts';
import type { Localization } from '../../src/eval/localizer.ts';
import { reduceMask } from '../../src/eval/masks.ts';

/** A smooth grid and a mask of one lesion, over an image of any size. */
function example(width: number, height: number): { localization: Localization; mask: Mask } {
  const random = createRandom(7);
  const grid = { width: 12, height: 12, data: Float32Array.from({ length: 144 }, () => random.uniform() - 0.5) };
  const data = new Uint8Array(width * height);
  for (let y = Math.floor(height / 3); y < height / 2; y++) data.fill(1, y * width + width / 4, y * width + width / 2);
  return { localization: { grid }, mask: { width, height, data } };
}

describe('agreementWith', () => {
  it.each([
    ['smaller than', 96, 80],
    ['larger than', 600, 500],
  ])('measures what evaluateGrounding measures in an image %s the evaluation side', async (_, width, height) => {
    const { localization, mask } = example(width, height);
    const dataset: Dataset = {
      name: 'one',
      studies: [{ id: 's', patientId: 'p', split: 'test', report: '' }],
      phrases: [{ studyId: 's', phrase: 'edema', category: 'edema', attributes: {}, loadMask: async () => mask }],
      loadImage: async () => ({ width, height, data: new Float32Array(width * height) }),
    };
    const localizer = {
      gridSize: localization.grid,
      localize: async (_: unknown, texts: readonly string[]) => texts.map(() => localization),
    };
    for (const threshold of [-0.5, 0, 0.3, 0.6]) {
      const result = await evaluateGrounding({ dataset, localizer, thresholds: [threshold], sigma: 1, resamples: 2 });
      for (const { preset, methods } of result.presets) {
        const { iou, dice, pointing } = methods[0]!.overall.macro;
        const options = { sigma: 1, preset, threshold };
        const own = agreementWith(mask, localization, { width, height }, options)!;
        expect([own.iou, own.dice, own.pointing]).toEqual([iou.value, dice.value, pointing.value]);
        // A mask that was reduced before gives the same.
        expect(agreementWith(reduceMask(mask, EVALUATION_SIDE), localization, { width, height }, options)).toEqual(own);
      }
    }
  });

  it('counts 0 where nothing is over the threshold, and says nothing of an empty mask', () => {
    const { localization, mask } = example(96, 80);
    const options = { sigma: 1, preset: 'paper-cosine', threshold: 0.9 } as const;
    expect(agreementWith(mask, localization, mask, options)).toMatchObject({ iou: 0, dice: 0 });
    expect(agreementWith({ ...mask, data: new Uint8Array(96 * 80) }, localization, mask, options)).toBeUndefined();
  });
});
