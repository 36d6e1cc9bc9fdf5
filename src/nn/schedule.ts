/** Learning rate of a step, counted from 0. A pure function: a run that is resumed needs no schedule state. */
export type Schedule = (step: number) => number;

function checkPositive(what: string, value: number): void {
  if (!(value > 0) || !Number.isFinite(value)) throw new RangeError(`${what} must be a positive number, not ${value}.`);
}

/** The same learning rate in every step. */
export function constantRate(rate: number): Schedule {
  return () => rate;
}

/** `rate * gamma^epoch`, with `stepsPerEpoch` steps in an epoch. */
export function exponentialDecay(rate: number, gamma: number, stepsPerEpoch: number): Schedule {
  checkPositive('stepsPerEpoch', stepsPerEpoch);
  return (step) => rate * gamma ** Math.floor(step / stepsPerEpoch);
}

/** Multiplies the first `warmupSteps` rates of another schedule by 1/n, 2/n, ..., 1. */
export function linearWarmup(schedule: Schedule, warmupSteps: number): Schedule {
  return (step) => schedule(step) * Math.min(1, (step + 1) / Math.max(1, warmupSteps));
}

/** Shape of a one-cycle schedule. */
export interface OneCycleOptions {
  /** Part of the steps during which the rate rises; 0.1 by default. */
  readonly warmup?: number;
  /** First rate = peak / startDivisor; 25 by default. */
  readonly startDivisor?: number;
  /** Last rate = first rate / endDivisor; 1e4 by default. */
  readonly endDivisor?: number;
}

/**
 * One cycle (Smith and Topin 2018): the rate rises from `peak / startDivisor` to `peak`, then falls almost to zero,
 * both along half a cosine. The peak lies at step `warmup * totalSteps - 1` and the end at `totalSteps - 1`, as in
 * PyTorch's `OneCycleLR`; later steps keep the last rate.
 */
export function oneCycle(peak: number, totalSteps: number, options: OneCycleOptions = {}): Schedule {
  checkPositive('totalSteps', totalSteps);
  const { warmup = 0.1, startDivisor = 25, endDivisor = 1e4 } = options;
  const start = peak / startDivisor;
  const end = start / endDivisor;
  const last = totalSteps - 1;
  const top = Math.max(0, warmup * totalSteps - 1);
  const between = (from: number, to: number, part: number): number =>
    to + ((from - to) / 2) * (1 + Math.cos(Math.PI * part));
  return (step) => {
    if (step >= last) return end;
    if (step < top) return between(start, peak, step / top);
    return between(peak, end, (step - top) / (last - top));
  };
}
