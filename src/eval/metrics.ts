import type { Mask } from '../data/types.ts';
import type { Grid } from './maps.ts';

/** Thresholds of the published protocol; a pixel is predicted where the map is strictly greater. */
export const PAPER_THRESHOLDS: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5];

/** Pixel counts per threshold, and the size of the ground truth. */
export interface ThresholdCounts {
  readonly thresholds: readonly number[];
  readonly predicted: readonly number[];
  readonly intersection: readonly number[];
  readonly groundTruth: number;
}

/** IoU and Dice per threshold; NaN marks the thresholds without a single predicted pixel. */
export interface Overlap {
  readonly iou: readonly number[];
  readonly dice: readonly number[];
}

/**
 * Counts predicted pixels (`map > threshold`, strictly, compared in float32 as the map is stored) and those inside the
 * mask.
 *
 * @param thresholds In ascending order.
 * @throws TypeError when map and mask differ in size, RangeError when the thresholds are not ascending.
 */
export function countOverThresholds(map: Grid, mask: Mask, thresholds: readonly number[]): ThresholdCounts {
  checkSameSize(map, mask);
  const limits = Float32Array.from(thresholds);
  for (let i = 1; i < limits.length; i++) {
    if (!((limits[i] ?? 0) > (limits[i - 1] ?? 0))) {
      throw new RangeError(`Thresholds must ascend, got ${thresholds.join(', ')}.`);
    }
  }
  // Bin k holds the pixels that exceed exactly the first k thresholds; sums from the right give the counts.
  const outside = new Float64Array(limits.length + 1);
  const inside = new Float64Array(limits.length + 1);
  for (let i = 0; i < map.data.length; i++) {
    const bins = mask.data[i] === 0 ? outside : inside;
    const bin = countBelow(limits, map.data[i] ?? Number.NaN);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  const predicted: number[] = [];
  const intersection: number[] = [];
  let [all, hits] = [0, 0];
  for (let k = limits.length; k >= 1; k--) {
    hits += inside[k] ?? 0;
    all += (inside[k] ?? 0) + (outside[k] ?? 0);
    predicted.unshift(all);
    intersection.unshift(hits);
  }
  return { thresholds, predicted, intersection, groundTruth: hits + (inside[0] ?? 0) };
}

/** How many of the ascending limits are strictly less than the value; 0 for NaN. */
function countBelow(limits: Float32Array, value: number): number {
  let [low, high] = [0, limits.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value > (limits[middle] ?? 0)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** IoU = I / U and Dice = 2 I / (P + G) per threshold, NaN where nothing is predicted. */
export function overlap(counts: ThresholdCounts): Overlap {
  const iou: number[] = [];
  const dice: number[] = [];
  for (const [k, predicted] of counts.predicted.entries()) {
    const shared = counts.intersection[k] ?? 0;
    iou.push(predicted === 0 ? Number.NaN : shared / (predicted + counts.groundTruth - shared));
    dice.push(predicted === 0 ? Number.NaN : (2 * shared) / (predicted + counts.groundTruth));
  }
  return { iou, dice };
}

/**
 * What an empty prediction counts: `zero` (IoU and Dice 0, the default here) or `drop` (left out of the mean, as
 * harnesses do that use nanmean; a model that marks nothing is then not punished).
 */
export type EmptyPrediction = 'zero' | 'drop';

/** Mean over thresholds; NaN entries (empty predictions) count 0 or are left out. NaN when nothing is left. */
export function meanOverThresholds(values: readonly number[], empty: EmptyPrediction): number {
  const kept = empty === 'drop' ? values.filter((value) => !Number.isNaN(value)) : values;
  return kept.length === 0 ? Number.NaN : kept.reduce((sum, v) => sum + (Number.isNaN(v) ? 0 : v), 0) / kept.length;
}

/**
 * Contrast-to-noise ratio `(mean_in - mean_out) / sqrt(var_in + var_out)` with population variances (Boecking et al.,
 * ECCV 2022, as a signed value). 0 for a constant map, NaN when the mask is empty or covers everything.
 */
export function contrastToNoise(map: Grid, mask: Mask): number {
  checkSameSize(map, mask);
  // Two passes: sums of squares lose the variance of a map that is nearly constant.
  const count = [0, 0];
  const mean = [0, 0];
  const variance = [0, 0];
  const side = (i: number) => (mask.data[i] === 0 ? 0 : 1);
  map.data.forEach((value, i) => {
    count[side(i)] = (count[side(i)] ?? 0) + 1;
    mean[side(i)] = (mean[side(i)] ?? 0) + value;
  });
  const [nOut = 0, nIn = 0] = count;
  if (nOut === 0 || nIn === 0) return Number.NaN;
  const [meanOut, meanIn] = [(mean[0] ?? 0) / nOut, (mean[1] ?? 0) / nIn];
  map.data.forEach((value, i) => {
    variance[side(i)] = (variance[side(i)] ?? 0) + (value - (side(i) === 0 ? meanOut : meanIn)) ** 2;
  });
  const difference = meanIn - meanOut;
  return difference === 0 ? 0 : difference / Math.sqrt((variance[0] ?? 0) / nOut + (variance[1] ?? 0) / nIn);
}

/**
 * Pointing game: 1 when the largest value of the map lies in the mask. Where several pixels share the largest value the
 * share of them that lie in the mask, which is the expected hit of a random choice: a constant map gets the mask's area.
 */
export function pointingGame(map: Grid, mask: Mask): number {
  checkSameSize(map, mask);
  let best = Number.NEGATIVE_INFINITY;
  let [hits, ties] = [0, 0];
  for (let i = 0; i < map.data.length; i++) {
    const value = map.data[i] ?? Number.NEGATIVE_INFINITY;
    if (value < best) continue;
    if (value > best) {
      best = value;
      [hits, ties] = [0, 0];
    }
    ties++;
    if (mask.data[i] !== 0) hits++;
  }
  return ties === 0 ? Number.NaN : hits / ties;
}

/** Throws a TypeError unless map and mask have the same size. */
export function checkSameSize(map: Grid, mask: Mask): void {
  if (map.width !== mask.width || map.height !== mask.height || map.data.length !== mask.data.length) {
    throw new TypeError(
      `Map and mask must have the same size, got ${map.width}x${map.height} (${map.data.length} values) and ${mask.width}x${mask.height} (${mask.data.length} values).`,
    );
  }
}
