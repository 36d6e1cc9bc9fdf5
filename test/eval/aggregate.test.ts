import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/data/random.ts';
import {
  METRICS,
  type MetricName,
  macroDifference,
  type PhraseScore,
  sizeTertiles,
  summarize,
} from '../../src/eval/aggregate.ts';
import { percentileInterval, quantile, resampleImages } from '../../src/eval/bootstrap.ts';

function row(studyId: string, category: string, iou: number): PhraseScore {
  const scores = Object.fromEntries(METRICS.map((name) => [name, name === 'iou' ? iou : Number.NaN]));
  return {
    studyId,
    phrase: category,
    category,
    attributes: {},
    area: 0.1,
    scores: scores as Record<MetricName, number>,
  };
}

describe('summarize', () => {
  const rows = [row('1', 'edema', 0.2), row('2', 'edema', 0.4), row('3', 'edema', 0.6), row('3', 'effusion', 1)];
  const resamples = resampleImages(rows.map((r) => r.studyId));

  it('takes the mean per class first and over classes then', () => {
    const summary = summarize(rows, resamples);
    expect(summary.classes.edema?.iou.value).toBeCloseTo(0.4, 12);
    expect(summary.classes.effusion?.iou).toMatchObject({ value: 1, low: 1, high: 1, count: 1 });
    expect(summary.macro.iou.value).toBeCloseTo((0.4 + 1) / 2, 12);
    expect(summary.micro.iou.value).toBeCloseTo(2.2 / 4, 12);
    expect(summary.micro.iou.count).toBe(4);
  });

  it('leaves undefined scores out and says so by the count', () => {
    const summary = summarize([...rows, row('2', 'effusion', Number.NaN)], resamples);
    expect(summary.macro.iou.value).toBeCloseTo(0.7, 12);
    expect(summary.classes.effusion?.iou.count).toBe(1);
    expect(summary.macro.dice).toEqual({ value: Number.NaN, low: Number.NaN, high: Number.NaN, count: 0 });
    expect(summarize([], resamples).macro.iou.value).toBeNaN();
  });

  it('encloses the mean with an interval near the normal one for many images', () => {
    const random = createRandom(2);
    const many = Array.from({ length: 400 }, (_, i) => row(`${i}`, 'edema', random.uniform()));
    const { value, low, high } = summarize(many, resampleImages(many.map((r) => r.studyId))).macro.iou;
    // Uniform scores: deviation 1 / sqrt(12), standard error / sqrt(400), half width 1.96 of it.
    const halfWidth = (1.96 / Math.sqrt(12)) * (1 / 20);
    expect(value - low).toBeGreaterThan(0.8 * halfWidth);
    expect(value - low).toBeLessThan(1.2 * halfWidth);
    expect(high - value).toBeGreaterThan(0.8 * halfWidth);
    expect(high - value).toBeLessThan(1.2 * halfWidth);
  });

  it('keeps the phrases of an image together: copies of a phrase add no certainty', () => {
    const random = createRandom(3);
    const once = Array.from({ length: 50 }, (_, i) => row(`${i}`, 'edema', random.uniform()));
    const fourfold = once.flatMap((r) => [r, r, r, r]);
    const images = resampleImages(once.map((r) => r.studyId));
    const [a, b] = [summarize(once, images).macro.iou, summarize(fourfold, images).macro.iou];
    expect(b.value).toBeCloseTo(a.value, 12);
    expect(b.low).toBeCloseTo(a.low, 12);
    expect(b.high).toBeCloseTo(a.high, 12);
  });

  it('is the same for the same seed and not for another', () => {
    const first = summarize(rows, resampleImages(['1', '2', '3'], 50, 7));
    expect(summarize(rows, resampleImages(['1', '2', '3'], 50, 7))).toEqual(first);
    const draws = (seed: number) => resampleImages(['1', '2', '3'], 50, seed).weights.join(';');
    expect(draws(8)).not.toBe(draws(7));
  });
});

describe('macroDifference', () => {
  it('is paired: a constant advantage has an interval of no width', () => {
    const random = createRandom(4);
    const ours = Array.from({ length: 20 }, (_, i) => row(`${i}`, i % 2 ? 'edema' : 'effusion', random.uniform()));
    const theirs = ours.map((r) => row(r.studyId, r.category, r.scores.iou - 0.25));
    const difference = macroDifference(ours, theirs, 'iou', resampleImages(ours.map((r) => r.studyId)));
    expect(difference.value).toBeCloseTo(0.25, 12);
    expect(difference.low).toBeCloseTo(0.25, 12);
    expect(difference.high).toBeCloseTo(0.25, 12);
  });
});

describe('bootstrap', () => {
  it('draws as many images as there are', () => {
    const { weights, indexOf } = resampleImages(['a', 'b', 'a', 'c'], 20);
    expect([...indexOf]).toEqual([
      ['a', 0],
      ['b', 1],
      ['c', 2],
    ]);
    expect(weights.every((draw) => draw.reduce((a, b) => a + b, 0) === 3)).toBe(true);
  });

  it('interpolates percentiles and ignores samples that are not numbers', () => {
    const samples = [...Array.from({ length: 101 }, (_, i) => 100 - i), Number.NaN];
    const { low, high } = percentileInterval(samples);
    expect(low).toBeCloseTo(2.5, 12);
    expect(high).toBeCloseTo(97.5, 12);
    expect(quantile([1, 3], 0.5)).toBe(2);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe('sizeTertiles', () => {
  it('splits regions in three equal parts', () => {
    const { labelOf } = sizeTertiles([0.9, 0.1, 0.2, 0.3, 0.4, 0.5]);
    const labels = [0.1, 0.2, 0.3, 0.4, 0.5, 0.9].map(labelOf);
    expect(labels).toEqual(['small', 'small', 'medium', 'medium', 'large', 'large']);
  });
});
