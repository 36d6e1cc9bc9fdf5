import { describe, expect, it } from 'vitest';
import { resampleImages } from '../../src/eval/bootstrap.ts';
import { chanceOfRecall, measureRetrieval, type RetrievalItem } from '../../src/eval/retrieval.ts';

function items(keys: string, classes?: readonly (readonly string[])[]): RetrievalItem[] {
  return [...keys].map((reportKey, i) => ({ studyId: `s${i}`, reportKey, classes: classes?.[i] }));
}

function measure(rows: readonly (readonly number[])[], list: RetrievalItem[]) {
  const draws = resampleImages(
    list.map(({ studyId }) => studyId),
    50,
  );
  return measureRetrieval(Float64Array.from(rows.flat()), list, draws);
}

describe('measureRetrieval', () => {
  it('ranks the right answer among all', () => {
    // Own answers rank 1, 2 and 3.
    const result = measure(
      [
        [0.9, 0.1, 0.2],
        [0.8, 0.7, 0.1],
        [0.5, 0.6, 0.4],
      ],
      items('abc'),
    );
    expect(result.recall.map(({ at, estimate }) => [at, estimate.value])).toEqual([[1, 1 / 3]]);
    expect(result.medianRank.value).toBe(2);
    expect(result.recall[0]!.chance).toBeCloseTo(1 / 3, 12);
    expect(result.medianRankChance).toBe(2);
    expect(result.precision).toEqual([]);
  });

  it('takes a report with the same words for as right as its own', () => {
    const rows = [
      [0.1, 0.9, 0.5],
      [0.1, 0.9, 0.5],
      [0.1, 0.2, 0.3],
    ];
    const own = measure(rows, items('abc'));
    const same = measure(rows, items('aab'));
    expect(own.recall[0]!.estimate.value).toBeCloseTo(2 / 3, 12);
    expect(same.recall[0]!.estimate.value).toBe(1);
    // Two of three answers are right for the first two queries: chance 2/3, 2/3, 1/3.
    expect(same.recall[0]!.chance).toBeCloseTo((2 / 3 + 2 / 3 + 1 / 3) / 3, 12);
    // Best of two among three is expected at 4/3, of one at 2.
    expect(same.medianRankChance).toBeCloseTo(4 / 3, 12);
  });

  it('puts answers of equal similarity in the middle of their ranks', () => {
    const constant = Array.from({ length: 5 }, () => [1, 1, 1, 1, 1]);
    const result = measure(constant, items('abcde'));
    expect(result.medianRank.value).toBe(3);
    expect(result.recall.map(({ at, estimate }) => [at, estimate.value])).toEqual([
      [1, 0],
      [5, 1],
    ]);
  });

  it('measures class precision without the own partner, and shares ties', () => {
    const classes = [['edema'], ['edema', 'opacity'], ['opacity'], [], [], ['edema']];
    const related = [2, 3, 1, 1, 1, 2];
    const rows = classes.map(() => [6, 5, 4, 3, 2, 1]);
    const result = measure(rows, items('abcdef', classes));
    const [at5] = result.precision;
    // With six items the five others are all of the first five.
    expect(at5!.at).toBe(5);
    expect(at5!.estimate.value).toBeCloseTo(related.reduce((sum, n) => sum + n / 5, 0) / 6, 12);
    expect(at5!.chance).toBeCloseTo(at5!.estimate.value, 12);
    const tied = measure(
      classes.map(() => [1, 1, 1, 1, 1, 1]),
      items('abcdef', classes),
    );
    expect(tied.precision[0]!.estimate.value).toBeCloseTo(at5!.estimate.value, 12);
  });

  it('refuses a matrix of another size', () => {
    expect(() => measure([[1, 2]], items('ab'))).toThrow('2 items need 2 x 2 similarities, got 2.');
  });
});

describe('chanceOfRecall', () => {
  it('is the share of right answers at rank 1 and certain at the last rank', () => {
    expect(chanceOfRecall(10, 3, 1)).toBeCloseTo(0.3, 12);
    expect(chanceOfRecall(10, 1, 5)).toBeCloseTo(0.5, 12);
    // Not among the first two of four: 2/4 x 1/3.
    expect(chanceOfRecall(4, 2, 2)).toBeCloseTo(1 - 1 / 6, 12);
    expect(chanceOfRecall(4, 1, 4)).toBe(1);
  });
});
