/** How well one number per case tells the cases that have something from those that have not. */

/** Cases in falling order of their score; equal scores form one group. */
export interface RankedCases {
  /** Position of the case in what was ranked. */
  readonly order: Int32Array;
  /** End (exclusive) of every group of equal scores, in `order`. */
  readonly groupEnds: Int32Array;
  readonly positive: readonly boolean[];
  readonly scores: readonly number[];
}

export interface DetectionQuality {
  /** Area under the ROC curve; ties count one half. NaN unless there are cases of both kinds. */
  readonly auroc: number;
  /** Average precision without interpolation. NaN without a positive case. */
  readonly averagePrecision: number;
}

/** Sorts once, so that a thousand resamples only walk. @throws RangeError for a score that is not finite. */
export function rankCases(scores: readonly number[], positive: readonly boolean[]): RankedCases {
  if (scores.length !== positive.length) {
    throw new RangeError(`Each score needs a label, got ${scores.length} scores and ${positive.length} labels.`);
  }
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0) throw new RangeError(`Score ${bad} is ${scores[bad]}; scores have to be finite to be ranked.`);
  const order = Int32Array.from(scores.keys()).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  const groupEnds: number[] = [];
  for (let i = 1; i <= order.length; i++) {
    if (i === order.length || scores[order[i] ?? 0] !== scores[order[i - 1] ?? 0]) groupEnds.push(i);
  }
  return { order, groupEnds: Int32Array.from(groupEnds), positive, scores };
}

/** @param weightOf How often a case counts, e.g. in a bootstrap resample. Default: once. */
export function detectionQuality(ranked: RankedCases, weightOf: (index: number) => number = () => 1): DetectionQuality {
  let [positives, negatives, pairs, precision, start] = [0, 0, 0, 0, 0];
  for (const end of ranked.groupEnds) {
    let [hits, misses] = [0, 0];
    for (let i = start; i < end; i++) {
      const index = ranked.order[i] ?? 0;
      if (ranked.positive[index]) hits += weightOf(index);
      else misses += weightOf(index);
    }
    // Negatives of this group lie under every earlier positive and beside those of the same score.
    pairs += misses * (positives + hits / 2);
    positives += hits;
    negatives += misses;
    if (hits > 0) precision += hits * (positives / (positives + negatives));
    start = end;
  }
  return { auroc: pairs / (positives * negatives), averagePrecision: precision / positives };
}

/** Right and wrong decisions at a threshold: a case counts as found when its score is at least that. */
export interface Decisions {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly trueNegatives: number;
  readonly falseNegatives: number;
}

/** @param weightOf How often a case counts. Default: once. */
export function decide(
  scores: readonly number[],
  positive: readonly boolean[],
  threshold: number,
  weightOf: (index: number) => number = () => 1,
): Decisions {
  const counts = { truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0 };
  for (const [i, score] of scores.entries()) {
    if (score >= threshold) counts[positive[i] ? 'truePositives' : 'falsePositives'] += weightOf(i);
    else counts[positive[i] ? 'falseNegatives' : 'trueNegatives'] += weightOf(i);
  }
  return counts;
}

/** `2 TP / (2 TP + FP + FN)`; NaN when nothing is there and nothing was found. */
export function f1({ truePositives, falsePositives, falseNegatives }: Decisions): number {
  return (2 * truePositives) / (2 * truePositives + falsePositives + falseNegatives);
}

/** Sensitivity + specificity - 1 (Youden 1950). */
export function youden({ truePositives, falsePositives, trueNegatives, falseNegatives }: Decisions): number {
  return truePositives / (truePositives + falseNegatives) - falsePositives / (falsePositives + trueNegatives);
}

/**
 * The threshold at which `quality` of the decisions is largest, half-way between two neighbouring scores (or the lowest
 * score, where everything is found); of several equals the lowest, which finds most. Undefined unless there are cases of
 * both kinds.
 */
export function bestThreshold(ranked: RankedCases, quality: (decisions: Decisions) => number): number | undefined {
  const all = ranked.positive.filter(Boolean).length;
  const none = ranked.positive.length - all;
  if (all === 0 || none === 0) return undefined;
  let [truePositives, falsePositives, start] = [0, 0, 0];
  let best: { threshold: number; quality: number } | undefined;
  for (const end of ranked.groupEnds) {
    for (let i = start; i < end; i++) {
      if (ranked.positive[ranked.order[i] ?? 0]) truePositives++;
      else falsePositives++;
    }
    const found = quality({
      truePositives,
      falsePositives,
      trueNegatives: none - falsePositives,
      falseNegatives: all - truePositives,
    });
    const above = ranked.scores[ranked.order[end - 1] ?? 0] ?? Number.NaN;
    const below = end < ranked.order.length ? ranked.scores[ranked.order[end] ?? 0] : undefined;
    if (best === undefined || found >= best.quality) {
      best = { threshold: below === undefined ? above : (above + below) / 2, quality: found };
    }
    start = end;
  }
  return best?.threshold;
}
