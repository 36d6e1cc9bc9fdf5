/** Times of one case in milliseconds, one per round. */
export interface Measured {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** Standard deviation of a round relative to the median, from the median absolute deviation: one outlier does not count. */
  readonly spread: number;
  readonly rounds: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The median absolute deviation of normally distributed values times this is their standard deviation. */
const madToDeviation = 1.4826;

export function summarize(samples: readonly number[]): Measured {
  const middle = median(samples);
  const deviation = madToDeviation * median(samples.map((sample) => Math.abs(sample - middle)));
  return {
    median: middle,
    low: Math.min(...samples),
    high: Math.max(...samples),
    spread: middle > 0 ? deviation / middle : 0,
    rounds: samples.length,
  };
}
