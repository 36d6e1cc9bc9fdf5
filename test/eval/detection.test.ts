import { describe, expect, it } from 'vitest';
import { bestThreshold, decide, detectionQuality, f1, rankCases, youden } from '../../src/eval/detection.ts';

const [yes, no] = [true, false];

describe('detectionQuality', () => {
  it('counts pairs in the right order, ties one half', () => {
    // Positives .9 .5, negatives .7 .5 .1: .9 beats all three; .5 loses to .7, ties with .5, beats .1.
    const ranked = rankCases([0.9, 0.7, 0.5, 0.5, 0.1], [yes, no, yes, no, no]);
    const { auroc, averagePrecision } = detectionQuality(ranked);
    expect(auroc).toBeCloseTo((3 + 0 + 0.5 + 1) / 6, 12);
    // Recall 1/2 at precision 1/1, and the tied group brings the rest at precision 2/4.
    expect(averagePrecision).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 4), 12);
  });

  it('is one half, and the share of positives, when all scores are equal', () => {
    const { auroc, averagePrecision } = detectionQuality(rankCases([2, 2, 2, 2], [yes, no, no, no]));
    expect([auroc, averagePrecision]).toEqual([0.5, 0.25]);
  });

  it('is not defined with cases of one kind only', () => {
    expect(detectionQuality(rankCases([1, 2], [yes, yes])).auroc).toBeNaN();
    expect(detectionQuality(rankCases([1, 2], [yes, yes])).averagePrecision).toBe(1);
    const without = detectionQuality(rankCases([1, 2], [no, no]));
    expect([without.auroc, without.averagePrecision]).toEqual([Number.NaN, Number.NaN]);
    expect(detectionQuality(rankCases([], [])).auroc).toBeNaN();
  });

  it('weights cases as if they were repeated', () => {
    const [scores, labels] = [
      [0.9, 0.7, 0.5],
      [no, yes, no],
    ];
    const weights = [1, 3, 2];
    const repeated = weights.flatMap((count, i) => Array.from({ length: count }, () => i));
    expect(detectionQuality(rankCases(scores, labels), (i) => weights[i]!)).toEqual(
      detectionQuality(
        rankCases(
          repeated.map((i) => scores[i]!),
          repeated.map((i) => labels[i]!),
        ),
      ),
    );
  });

  it('refuses scores without an order', () => {
    expect(() => rankCases([1, Number.NaN], [yes, no])).toThrow('Score 1 is NaN');
    expect(() => rankCases([1], [])).toThrow('1 scores and 0 labels');
  });
});

describe('bestThreshold', () => {
  it('lies half-way between the scores that it separates', () => {
    const scores = [0.8, 0.6, 0.3, 0.2];
    const threshold = bestThreshold(rankCases(scores, [yes, yes, no, no]), youden)!;
    expect(threshold).toBeCloseTo(0.45, 12);
    expect(decide(scores, [yes, yes, no, no], threshold)).toEqual({
      truePositives: 2,
      falsePositives: 0,
      trueNegatives: 2,
      falseNegatives: 0,
    });
  });

  it('of several equals takes the one that finds most', () => {
    // After .9: sensitivity 1/2, specificity 1. After .7, .5: sensitivity 1, specificity 1/2. Youden is .5 at both.
    expect(bestThreshold(rankCases([0.9, 0.7, 0.5, 0.1], [yes, no, yes, no]), youden)).toBeCloseTo(0.3, 12);
  });

  it('weighs F1 and Youden differently', () => {
    // One positive at the top, one at the bottom, six negatives between them.
    const ranked = rankCases([9, 8, 7, 6, 5, 4, 3, 1], [yes, no, no, no, no, no, no, yes]);
    // F1 after the first: 2/(2+0+1) = .667; after all: 4/(4+6) = .4.
    expect(bestThreshold(ranked, f1)).toBeCloseTo(8.5, 12);
  });

  it('is undefined with one kind of case only', () => {
    expect(bestThreshold(rankCases([1, 2], [yes, yes]), youden)).toBeUndefined();
    expect(bestThreshold(rankCases([], []), youden)).toBeUndefined();
  });

  it('finds everything at the lowest score where that is best', () => {
    expect(bestThreshold(rankCases([3, 2, 1], [no, yes, yes]), f1)).toBe(1);
  });
});

describe('f1', () => {
  it('is not defined when nothing is there and nothing was found', () => {
    expect(f1({ truePositives: 0, falsePositives: 0, trueNegatives: 4, falseNegatives: 0 })).toBeNaN();
    expect(f1({ truePositives: 0, falsePositives: 1, trueNegatives: 3, falseNegatives: 0 })).toBe(0);
  });
});
