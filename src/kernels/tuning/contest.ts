/** What a contest needs to know of its contestants. */
export interface Contestants<T extends object> {
  /** The first one is to be beaten, and its result is the reference. */
  readonly all: readonly T[];
  /** The product of the same operands. */
  readonly result: (contestant: T) => Promise<ArrayLike<number>>;
  /** Milliseconds of `count` products, waiting included. */
  readonly time: (contestant: T, count: number) => Promise<number>;
  /** Allowed difference, relative to the root mean square of the reference. */
  readonly tolerance: number;
  /** Least time of one measurement in milliseconds: as long as it takes for the clock's own noise not to matter. */
  readonly leastTime: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Outcome<T extends object> {
  readonly best: T;
  /** Median over rounds of the first contestant's time over the best one's. */
  readonly gain: number;
  /** Milliseconds of one product by the first contestant and by the best. */
  readonly firstTime: number;
  readonly bestTime: number;
  /** Contestants whose result was wrong, or that failed. */
  readonly refused: readonly T[];
}

const screeningRounds = 3;
const finalRounds = 9;
const finalists = 3;
/** Gains below this are not worth another plan, however certain they are. */
const leastGain = 1.03;
/** A contestant so much slower in its first measurement needs no second one. */
const hopeless = 3;

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (at - Math.floor(at)) * (above - below);
}

const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Whether results are equal but for rounding: sums of random terms, in another order. */
export function matches(reference: ArrayLike<number>, result: ArrayLike<number>, tolerance: number): boolean {
  if (reference.length !== result.length) return false;
  let [squares, worst] = [0, 0];
  for (let i = 0; i < reference.length; i++) {
    const [expected = Number.NaN, got = Number.NaN] = [reference[i], result[i]];
    squares += expected * expected;
    const error = Math.abs(got - expected);
    if (Number.isNaN(error)) return false;
    worst = Math.max(worst, error);
  }
  return worst <= tolerance * Math.sqrt(squares / reference.length);
}

/** Rounds in which each contestant is measured once, so that what slows the machine down slows all of them. */
async function race<T extends object>(
  { time, signal }: Contestants<T>,
  field: readonly T[],
  counts: ReadonlyMap<T, number>,
  rounds: number,
): Promise<Map<T, number[]>> {
  const times = new Map(field.map((contestant) => [contestant, [] as number[]]));
  for (let round = 0; round < rounds; round++) {
    // Each round begins with another one: whoever runs after a pause may find a slower clock.
    for (let i = 0; i < field.length; i++) {
      const contestant = field[(i + round) % field.length];
      if (contestant === undefined) continue;
      signal?.throwIfAborted();
      const count = counts.get(contestant) ?? 1;
      times.get(contestant)?.push((await time(contestant, count)) / count);
    }
  }
  return times;
}

/** How many times faster than the first one a contestant was, round by round. */
function gainsOf(firstTimes: readonly number[], times: readonly number[]): number[] {
  return firstTimes.map((time, round) => time / (times[round] ?? Number.NaN));
}

function gainOf(firstTimes: readonly number[], times: readonly number[]): number {
  return median(gainsOf(firstTimes, times));
}

/** Whether a contestant is faster by more than the noise: in three of four rounds, and by enough to matter. */
export function isFaster(firstTimes: readonly number[], times: readonly number[]): boolean {
  const gains = gainsOf(firstTimes, times);
  return quantile(gains, 0.25) > 1 && median(gains) >= leastGain;
}

/**
 * Finds the fastest contestant whose result is right. It replaces the first one only if it is faster by more than the
 * noise. @throws the reason of `signal` once it is aborted
 */
export async function compete<T extends object>(contestants: Contestants<T>): Promise<Outcome<T>> {
  const { all, result, time, tolerance, leastTime, signal } = contestants;
  const [first, ...others] = all;
  if (first === undefined) throw new Error('A contest needs a contestant.');
  const reference = await result(first);
  const countFor = (milliseconds: number): number =>
    Math.max(1, Math.min(1000, Math.ceil(leastTime / Math.max(milliseconds, 1e-3))));
  await time(first, 1);
  const probe = countFor(await time(first, 1));
  const firstTime = (await time(first, probe)) / probe;
  const counts = new Map([[first, countFor(firstTime)]]);
  const refused: T[] = [];
  const field = [first];
  for (const other of others) {
    signal?.throwIfAborted();
    try {
      if (!matches(reference, await result(other), tolerance)) refused.push(other);
      else {
        const once = (await time(other, probe)) / probe;
        if (once > hopeless * firstTime) continue;
        counts.set(other, countFor(once));
        field.push(other);
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      refused.push(other);
    }
  }
  const screened = await race(contestants, field, counts, field.length > 1 ? screeningRounds : 0);
  const ranked = field.slice(1).sort((a, b) => median(screened.get(a) ?? []) - median(screened.get(b) ?? []));
  const final = [first, ...ranked.slice(0, finalists - 1)];
  const times = await race(contestants, final, counts, final.length > 1 ? finalRounds : 1);
  const firstTimes = times.get(first) ?? [];
  const faster = final.slice(1).filter((other) => isFaster(firstTimes, times.get(other) ?? []));
  const finalGain = (contestant: T): number => gainOf(firstTimes, times.get(contestant) ?? []);
  const [winner] = faster.sort((a, b) => finalGain(b) - finalGain(a));
  const unbeaten = { best: first, gain: 1, firstTime: median(firstTimes), bestTime: median(firstTimes), refused };
  if (winner === undefined) return unbeaten;
  // The best of several is also the luckiest of them: it has to win again, and that race says by how much.
  const again = await race(contestants, [first, winner], counts, finalRounds);
  const [before, after] = [again.get(first) ?? [], again.get(winner) ?? []];
  if (!isFaster(before, after)) return unbeaten;
  return {
    best: winner,
    gain: gainOf(before, after),
    firstTime: median(before),
    bestTime: median(after),
    refused,
  };
}
