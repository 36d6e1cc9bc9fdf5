import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/data/random.ts';
import type { Mask } from '../../src/data/types.ts';
import type { Grid } from '../../src/eval/maps.ts';
import { boxesToMask, coveredArea, maskArea, reduceMask } from '../../src/eval/masks.ts';
import {
  contrastToNoise,
  countOverThresholds,
  meanOverThresholds,
  overlap,
  PAPER_THRESHOLDS,
  pointingGame,
} from '../../src/eval/metrics.ts';
import { pixelRanking } from '../../src/eval/ranking.ts';

const map = (width: number, height: number, values: ArrayLike<number>): Grid => ({
  width,
  height,
  data: Float32Array.from(values),
});
const mask = (width: number, height: number, values: ArrayLike<number>): Mask => ({
  width,
  height,
  data: Uint8Array.from(values),
});

describe('IoU and Dice over thresholds', () => {
  // 3x2 pixels, not square; ground truth is the left column and one more.
  const truth = mask(3, 2, [1, 0, 0, 1, 1, 0]);
  const heat = map(3, 2, [0.9, 0.45, -1, 0.35, 0.15, 0.1]);

  it('counts strictly above each threshold', () => {
    const counts = countOverThresholds(heat, truth, PAPER_THRESHOLDS);
    // > .1: .9 .45 .35 .15 (.1 itself is not); > .2 and > .3: .9 .45 .35; > .4: .9 .45; > .5: .9
    expect(counts.predicted).toEqual([4, 3, 3, 2, 1]);
    expect(counts.intersection).toEqual([3, 2, 2, 1, 1]);
    expect(counts.groundTruth).toBe(3);
    const { iou, dice } = overlap(counts);
    expect(iou).toEqual([3 / 4, 2 / 4, 2 / 4, 1 / 4, 1 / 3]);
    expect(dice).toEqual([6 / 7, 4 / 6, 4 / 6, 2 / 5, 2 / 4]);
    expect(meanOverThresholds(iou, 'zero')).toBeCloseTo((0.75 + 0.5 + 0.5 + 0.25 + 1 / 3) / 5, 12);
  });

  it('treats empty predictions by either convention', () => {
    const weak = map(3, 2, [0.25, 0, 0, 0.25, 0.15, 0]);
    const { iou } = overlap(countOverThresholds(weak, truth, PAPER_THRESHOLDS));
    expect(iou).toEqual([1, 2 / 3, Number.NaN, Number.NaN, Number.NaN]);
    expect(meanOverThresholds(iou, 'zero')).toBeCloseTo((1 + 2 / 3) / 5, 12);
    expect(meanOverThresholds(iou, 'drop')).toBeCloseTo((1 + 2 / 3) / 2, 12);
    expect(meanOverThresholds([Number.NaN, Number.NaN], 'zero')).toBe(0);
    expect(meanOverThresholds([Number.NaN, Number.NaN], 'drop')).toBeNaN();
  });

  it('gives a map of ones the area of the mask, and counts an empty mask', () => {
    const ones = map(3, 2, Array(6).fill(1));
    expect(overlap(countOverThresholds(ones, truth, [0.5])).iou).toEqual([0.5]);
    const none = countOverThresholds(ones, mask(3, 2, Array(6).fill(0)), [0.5]);
    expect([none.groundTruth, overlap(none).iou[0], overlap(none).dice[0]]).toEqual([0, 0, 0]);
    expect(overlap(countOverThresholds(map(1, 1, [1]), mask(1, 1, [1]), [0.5]))).toEqual({ iou: [1], dice: [1] });
  });

  it('agrees with counting every threshold by itself', () => {
    const random = createRandom(5);
    const thresholds = [-0.8, -0.3, 0, 0.2, 0.21, 0.7];
    for (let trial = 0; trial < 20; trial++) {
      const values = Array.from({ length: 35 }, () => Math.fround(Math.round(random.uniform(-1, 1) * 10) / 10));
      const marks = values.map(() => (random.chance(0.4) ? 1 : 0));
      const counts = countOverThresholds(map(7, 5, values), mask(7, 5, marks), thresholds);
      thresholds.forEach((threshold, k) => {
        const hit = values.map((value) => value > Math.fround(threshold));
        expect(counts.predicted[k]).toBe(hit.filter(Boolean).length);
        expect(counts.intersection[k]).toBe(hit.filter((h, i) => h && marks[i] === 1).length);
      });
    }
  });

  it('refuses different sizes and unordered thresholds', () => {
    expect(() => countOverThresholds(map(2, 1, [0, 0]), mask(1, 2, [0, 0]), [0.1])).toThrow(/2x1 .* and 1x2/);
    expect(() => countOverThresholds(heat, truth, [0.5, 0.1])).toThrow(/must ascend, got 0.5, 0.1/);
  });
});

describe('contrast-to-noise ratio', () => {
  it('divides the difference of means by the pooled deviation', () => {
    // In: 3, 5 (mean 4, variance 1); out: 0, 2, 4 (mean 2, variance 8/3).
    const value = contrastToNoise(map(5, 1, [3, 0, 5, 2, 4]), mask(5, 1, [1, 0, 1, 0, 0]));
    expect(value).toBeCloseTo(2 / Math.sqrt(1 + 8 / 3), 12);
    expect(contrastToNoise(map(2, 1, [0, 1]), mask(2, 1, [1, 0]))).toBe(Number.NEGATIVE_INFINITY);
  });

  it('does not change when the map is scaled and shifted', () => {
    const truth = mask(3, 1, [1, 0, 0]);
    const plain = contrastToNoise(map(3, 1, [3, 1, 2]), truth);
    expect(contrastToNoise(map(3, 1, [103, 101, 102]), truth)).toBeCloseTo(plain, 10);
  });

  it('is 0 for a constant map and undefined without an inside or outside', () => {
    expect(contrastToNoise(map(3, 1, [1, 1, 1]), mask(3, 1, [1, 0, 0]))).toBe(0);
    expect(contrastToNoise(map(1, 1, [1]), mask(1, 1, [1]))).toBeNaN();
    expect(contrastToNoise(map(1, 1, [1]), mask(1, 1, [0]))).toBeNaN();
  });
});

describe('pointing game', () => {
  it('asks whether the peak lies in the mask', () => {
    const truth = mask(2, 2, [0, 1, 0, 0]);
    expect(pointingGame(map(2, 2, [0, 3, 1, 2]), truth)).toBe(1);
    expect(pointingGame(map(2, 2, [0, 3, 1, 4]), truth)).toBe(0);
  });

  it('counts ties by their share', () => {
    expect(pointingGame(map(2, 2, [3, 3, 1, 3]), mask(2, 2, [1, 0, 0, 1]))).toBeCloseTo(2 / 3, 12);
    expect(pointingGame(map(2, 2, [1, 1, 1, 1]), mask(2, 2, [1, 0, 0, 0]))).toBe(0.25);
  });
});

describe('pixel ranking', () => {
  it('matches numbers derived by hand', () => {
    // Descending: .9 (+), .8 (-), .7 (+), .1 (-). Pairs won: 2 + 1 of 4. AP = 1/2 * 1 + 1/2 * 2/3.
    const ranking = pixelRanking(map(4, 1, [0.9, 0.8, 0.7, 0.1]), mask(4, 1, [1, 0, 1, 0]));
    expect(ranking.auroc).toBe(0.75);
    expect(ranking.averagePrecision).toBeCloseTo(5 / 6, 12);
  });

  it('gives a constant map 1/2 and the prevalence', () => {
    const ranking = pixelRanking(map(4, 1, [2, 2, 2, 2]), mask(4, 1, [1, 0, 0, 0]));
    expect(ranking).toEqual({ auroc: 0.5, averagePrecision: 0.25 });
  });

  it('is undefined without positives, without negatives or with NaN', () => {
    expect(pixelRanking(map(1, 1, [0]), mask(1, 1, [0])).averagePrecision).toBeNaN();
    expect(pixelRanking(map(1, 1, [0]), mask(1, 1, [0])).auroc).toBeNaN();
    expect(pixelRanking(map(1, 1, [0]), mask(1, 1, [1])).auroc).toBeNaN();
    expect(pixelRanking(map(2, 1, [Number.NaN, 1]), mask(2, 1, [1, 0])).auroc).toBeNaN();
  });

  it('agrees with comparing every pair and every cut on random maps with ties', () => {
    const random = createRandom(8);
    for (let trial = 0; trial < 30; trial++) {
      const size = 1 + random.int(1, 40);
      const values = Array.from({ length: size }, () => random.int(-4, 5));
      const marks = values.map((_, i) => (i === 0 || (i > 1 && random.chance(0.3)) ? 1 : 0));
      let [won, pairs] = [0, 0];
      values.forEach((a, i) => {
        values.forEach((b, j) => {
          if (marks[i] !== 1 || marks[j] !== 0) return;
          pairs++;
          won += a > b ? 1 : a === b ? 0.5 : 0;
        });
      });
      const total = marks.filter((m) => m === 1).length;
      let [precisionSum, recall] = [0, 0];
      for (const cut of [...new Set(values)].sort((a, b) => b - a)) {
        const chosen = marks.filter((_, i) => values[i]! >= cut);
        const hits = chosen.filter((m) => m === 1).length;
        precisionSum += (hits / total - recall) * (hits / chosen.length);
        recall = hits / total;
      }
      const ranking = pixelRanking(map(size, 1, values), mask(size, 1, marks));
      expect(ranking.auroc).toBeCloseTo(won / pairs, 12);
      expect(ranking.averagePrecision).toBeCloseTo(precisionSum, 12);
    }
  });
});

describe('boxesToMask', () => {
  it('floors the transformed edges, unites boxes and cuts them at the border', () => {
    const result = boxesToMask(
      [
        { x: 2, y: 1, width: 3, height: 2 },
        { x: -4, y: 3, width: 6, height: 100 },
      ],
      { width: 4, height: 3 },
      { scale: 0.5, offsetX: 1 },
    );
    // Box 1: x 2..3.5 -> 2..3, y .5..1.5 -> 0..1. Box 2: x -1..2 -> 0..2, y 1.5..51.5 -> 1..3.
    expect([...result.data]).toEqual([0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 0, 0]);
    expect(maskArea(result)).toBe(5);
  });

  it('marks nothing for no box, a box outside and a box thinner than a pixel', () => {
    const size = { width: 3, height: 3 };
    expect(maskArea(boxesToMask([], size))).toBe(0);
    expect(maskArea(boxesToMask([{ x: 5, y: 0, width: 2, height: 2 }], size))).toBe(0);
    expect(maskArea(boxesToMask([{ x: -5, y: 0, width: 2, height: 2 }], size))).toBe(0);
    expect(maskArea(boxesToMask([{ x: 1.2, y: 0, width: 0.5, height: 2 }], size))).toBe(0);
    expect(() => boxesToMask([{ x: 0, y: 0, width: Number.NaN, height: 1 }], size)).toThrow(/finite/);
  });
});

describe('reduceMask', () => {
  it('marks pixels of which at least half was marked', () => {
    const source = mask(4, 2, [1, 1, 1, 0, 1, 0, 0, 0]);
    expect(reduceMask(source, 2)).toEqual({ width: 2, height: 1, data: Uint8Array.of(1, 0) });
    expect(reduceMask(source, 4)).toBe(source);
  });

  it('never loses a region', () => {
    const dot = mask(
      9,
      9,
      Array.from({ length: 81 }, (_, i) => (i === 40 ? 1 : 0)),
    );
    expect([...reduceMask(dot, 3).data]).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0]);
    expect(maskArea(reduceMask(mask(5, 5, Array(25).fill(0)), 3))).toBe(0);
  });

  it('keeps the total area when pixels do not divide evenly', () => {
    const source = mask(
      7,
      5,
      Array.from({ length: 35 }, (_, i) => ((i * 7) % 3 === 0 ? 1 : 0)),
    );
    const total = coveredArea(source, 4, 3).reduce((a, b) => a + b, 0);
    expect(total).toBeCloseTo(maskArea(source), 9);
  });
});
