import { describe, expect, it } from 'vitest';
import type { GroundedPhrase } from '../../src/data/types.ts';
import { fitMaskPriors, fixedPriors } from '../../src/eval/baselines.ts';

function phrase(category: string, side: string, zone: string, marked: readonly number[], width = 2): GroundedPhrase {
  const data = new Uint8Array(width * 2);
  for (const at of marked) data[at] = 1;
  return {
    studyId: `${category}-${side}`,
    phrase: `${side} ${category}`,
    category,
    attributes: { side, zone },
    loadMask: async () => ({ width, height: 2, data }),
  };
}

describe('fixedPriors', () => {
  const [random, ones, centre, lungs] = fixedPriors({ gridSize: 8, seed: 3 });
  const some = phrase('edema', 'left', 'basal', [0]);

  it('puts its mass where the name says', () => {
    const at = (data: Float32Array, x: number, y: number) => data[y * 8 + x]!;
    expect([...ones!.mapFor(some).data]).toEqual(Array(64).fill(1));
    const middle = centre!.mapFor(some).data;
    expect(Math.max(...middle)).toBe(at(middle, 3, 4));
    const both = lungs!.mapFor(some).data;
    expect(at(both, 2, 4)).toBeCloseTo(at(both, 5, 4), 6);
    expect(at(both, 2, 4)).toBeGreaterThan(2 * at(both, 0, 0));
    expect(at(both, 2, 4)).toBeGreaterThan(at(both, 3, 4));
  });

  it('draws another random map per phrase and the same one again for the same phrase', () => {
    const other = phrase('edema', 'right', 'basal', [0]);
    expect(random!.mapFor(some)).toEqual(random!.mapFor(some));
    expect(random!.mapFor(other)).not.toEqual(random!.mapFor(some));
    expect(fixedPriors({ gridSize: 8, seed: 4 })[0]!.mapFor(some)).not.toEqual(random!.mapFor(some));
  });
});

describe('fitMaskPriors', () => {
  const train = [
    phrase('edema', 'left', 'basal', [0]),
    phrase('edema', 'left', 'apical', [0, 1]),
    phrase('edema', 'right', 'basal', [3]),
    phrase('effusion', 'right', 'basal', [2]),
    phrase('effusion', 'left', 'basal', []), // an empty mask tells nothing and must not dilute the mean
  ];

  it('averages all masks, those of the class, and those of class, side and zone', async () => {
    const [mean, byClass, byText] = await fitMaskPriors(train, { gridSize: 2 });
    const query = phrase('edema', 'left', 'basal', [1]);
    expect([...mean!.mapFor(query).data]).toEqual([2 / 4, 1 / 4, 1 / 4, 1 / 4]);
    const third = Math.fround(1 / 3);
    expect([...byClass!.mapFor(query).data]).toEqual([Math.fround(2 / 3), third, 0, third]);
    expect([...byText!.mapFor(query).data]).toEqual([1, 0, 0, 0]);
  });

  it('falls back to the wider group for combinations that training never showed', async () => {
    const [mean, byClass, byText] = await fitMaskPriors(train, { gridSize: 2 });
    const hilar = phrase('edema', 'left', 'hilar', []);
    expect([...byText!.mapFor(hilar).data]).toEqual([1, 0.5, 0, 0]);
    const unseen = phrase('covid-like', 'left', 'basal', []);
    expect(byClass!.mapFor(unseen)).toEqual(mean!.mapFor(unseen));
    expect(byText!.mapFor(unseen)).toEqual(mean!.mapFor(unseen));
  });

  it('weighs images alike whatever the size of their masks', async () => {
    // 4x2 pixels, the left half marked: two of the four cells of the 2x2 grid.
    const [mean] = await fitMaskPriors([phrase('edema', '', '', [0, 1, 4, 5], 4)], { gridSize: 2 });
    expect([...mean!.mapFor(train[0]!).data]).toEqual([1, 0, 1, 0]);
  });

  it('says what to do when there is nothing to fit, and stops when asked', async () => {
    await expect(fitMaskPriors([])).rejects.toThrow(/got 0 phrases and no marked pixel\. Use fixedPriors/);
    await expect(fitMaskPriors(train, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});
