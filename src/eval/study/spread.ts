import { createRandom } from '../../data/random.ts';
import type { Draws, Estimate } from '../aggregate.ts';
import { percentileInterval } from '../bootstrap.ts';

/** What several seeds gave. */
export interface Spread {
  readonly mean: number;
  /** Standard deviation with n - 1 in the denominator; NaN for a single value. */
  readonly deviation: number;
  readonly low: number;
  readonly high: number;
  /** One per seed, in the order of the seeds. */
  readonly values: readonly number[];
}

/** Mean, deviation and range; values that are not finite stay in `values` and count nowhere. */
export function spreadOf(values: readonly number[]): Spread {
  const known = values.filter(Number.isFinite);
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const squares = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    mean,
    deviation: known.length > 1 ? Math.sqrt(squares / (known.length - 1)) : Number.NaN,
    low: known.length > 0 ? Math.min(...known) : Number.NaN,
    high: known.length > 0 ? Math.max(...known) : Number.NaN,
    values,
  };
}

/**
 * Mean over seeds with a 95 % bootstrap interval over seeds and images: every resample draws images and, with
 * replacement, seeds. Both are sources of chance, as another training run and other images would give other figures.
 * The seeds drawn are the same in every call, so that what is compared stays paired.
 *
 * @param perSeed A statistic of each seed's run on the same resamples of images.
 */
export function estimateOverSeeds(perSeed: readonly Draws[]): Estimate {
  const { mean } = spreadOf(perSeed.map(({ value }) => value));
  const random = createRandom(0).fork('seeds');
  const drawn = Float64Array.from({ length: perSeed[0]?.drawn.length ?? 0 }, (_, k) => {
    let sum = 0;
    for (let pick = 0; pick < perSeed.length; pick++) {
      sum += perSeed[random.int(0, perSeed.length)]?.drawn[k] ?? Number.NaN;
    }
    return sum / perSeed.length;
  });
  return { value: mean, ...percentileInterval(drawn), count: perSeed.length };
}

/** `a - b`, resample by resample. */
export function drawsOfDifference(a: Draws, b: Draws): Draws {
  return { value: a.value - b.value, drawn: a.drawn.map((value, k) => value - (b.drawn[k] ?? Number.NaN)) };
}
