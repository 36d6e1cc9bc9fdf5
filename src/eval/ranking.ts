import type { Mask } from '../data/types.ts';
import type { Grid } from './maps.ts';
import { checkSameSize } from './metrics.ts';

/** How well the map's order separates the pixels of the mask from the others. */
export interface PixelRanking {
  /** Area under the ROC curve; ties count one half. */
  readonly auroc: number;
  /** Average precision `sum_n (R_n - R_(n-1)) P_n` over the distinct values, without interpolation. */
  readonly averagePrecision: number;
}

/**
 * Pixel AUROC and average precision, exact with ties. Both are NaN when the mask is empty or covers everything (average
 * precision only when it is empty).
 */
export function pixelRanking(map: Grid, mask: Mask): PixelRanking {
  checkSameSize(map, mask);
  // Sorting the two sides apart needs no index array: equal values meet while both lists are walked down together.
  const positives = map.data.filter((_, i) => mask.data[i] !== 0).sort();
  const negatives = map.data.filter((_, i) => mask.data[i] === 0).sort();
  let [p, n] = [positives.length, negatives.length];
  let [truePositives, falsePositives] = [0, 0];
  let [pairs, averagePrecision] = [0, 0];
  while (p > 0 || n > 0) {
    const value = Math.max(at(positives, p - 1), at(negatives, n - 1));
    const [hits, misses] = [truePositives, falsePositives];
    for (; p > 0 && at(positives, p - 1) === value; p--) truePositives++;
    for (; n > 0 && at(negatives, n - 1) === value; n--) falsePositives++;
    if (truePositives === hits && falsePositives === misses) break; // NaN in the map: no order exists.
    // Negatives of this group lie under every earlier positive and beside those of the same value.
    pairs += (falsePositives - misses) * (hits + (truePositives - hits) / 2);
    averagePrecision += (truePositives - hits) * (truePositives / (truePositives + falsePositives));
  }
  const ordered = p === 0 && n === 0;
  return {
    auroc: ordered ? pairs / (positives.length * negatives.length) : Number.NaN,
    averagePrecision: ordered ? averagePrecision / positives.length : Number.NaN,
  };
}

function at(values: Float32Array, index: number): number {
  return index < 0 ? Number.NEGATIVE_INFINITY : (values[index] ?? Number.NaN);
}
