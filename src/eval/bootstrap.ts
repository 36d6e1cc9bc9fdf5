import { createRandom } from '../data/random.ts';

/** Bootstrap resamples over images: how often each image was drawn, the same draws for everything that is compared. */
export interface ImageResamples {
  /** Position of an image in every row of `weights`. */
  readonly indexOf: ReadonlyMap<string, number>;
  /** One `[images]` row of draw counts per resample; each sums to the number of images. */
  readonly weights: readonly Uint16Array[];
}

/**
 * Draws the resamples once, so that phrases of one image stay together (they are not independent) and differences of
 * two methods are paired.
 *
 * @param imageIds Distinct images in any order; repeated ids count once.
 */
export function resampleImages(imageIds: Iterable<string>, resamples = 1000, seed = 0): ImageResamples {
  const indexOf = new Map<string, number>();
  for (const id of imageIds) if (!indexOf.has(id)) indexOf.set(id, indexOf.size);
  const random = createRandom(seed).fork('bootstrap');
  const weights = Array.from({ length: resamples }, () => {
    const row = new Uint16Array(indexOf.size);
    for (let draw = 0; draw < indexOf.size; draw++) {
      const image = random.int(0, indexOf.size);
      row[image] = (row[image] ?? 0) + 1;
    }
    return row;
  });
  return { indexOf, weights };
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Percentile interval of bootstrap samples with linear interpolation between order statistics. Samples that are not
 * finite (a class nobody drew) are left out; NaN when none is left.
 */
export function percentileInterval(samples: ArrayLike<number>, level = 0.95): Interval {
  // Sorting puts NaN behind all numbers; a call per sample to filter it out first would dominate the whole evaluation.
  const all = Float64Array.from(samples as ArrayLike<number>).sort();
  let [first, end] = [0, all.length];
  while (end > 0 && !Number.isFinite(all[end - 1])) end--;
  while (first < end && !Number.isFinite(all[first])) first++;
  const sorted = all.subarray(first, end);
  return { low: quantile(sorted, (1 - level) / 2), high: quantile(sorted, (1 + level) / 2) };
}

/** Quantile of ascending values with linear interpolation (type 7); NaN for none. */
export function quantile(sorted: ArrayLike<number>, fraction: number): number {
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}
