/** A case that is measured once per round. */
export interface Visit {
  readonly name: string;
  readonly measure: (round: number) => Promise<void>;
}

/** Where a suite is; `leftMs` is an estimate from the visits so far. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly name: string;
  readonly leftMs: number;
}

/** The user pressed Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export interface Rounds {
  readonly rounds: number;
  /** No round begins later than this, except the first three. */
  readonly budgetMs?: number;
}

export interface RoundOptions extends Rounds {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

/** Visits longer than this are dear: few rounds of them are enough. */
const dearMs = 4000;
/** Fewer say nothing about noise. */
const fewRounds = 3;

const usualRounds = 5;

/**
 * As many rounds as the user wants, or the usual number: on software adapters only while no more than `minutes` have
 * passed, so that all suites together take less than ten on two cores.
 */
export function planRounds(wanted: number | undefined, kind: 'hardware' | 'software', minutes: number): Rounds {
  if (wanted !== undefined) return { rounds: wanted };
  return { rounds: usualRounds, ...(kind === 'software' ? { budgetMs: 60_000 * minutes } : {}) };
}

/**
 * Visits all cases in turn, then all of them again. What slows the machine down for a while then shows in the spread of
 * every case, and not as the time of the few that happened to run. Tells of every visit before it makes it.
 */
export async function* visitInRounds(
  cases: readonly Visit[],
  { rounds, budgetMs = Number.POSITIVE_INFINITY }: Rounds,
): AsyncGenerator<Progress, void, void> {
  const lastMs: number[] = [];
  const roundsOf = (index: number): number => ((lastMs[index] ?? 0) > dearMs ? Math.min(rounds, fewRounds) : rounds);
  let done = 0;
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    if (round >= fewRounds && performance.now() - began > budgetMs) return;
    for (const [index, visit] of cases.entries()) {
      if (round >= roundsOf(index)) continue;
      const known = lastMs.reduce((sum, ms) => sum + ms, 0) / Math.max(1, lastMs.length);
      let [leftMs, left] = [0, 0];
      for (const i of cases.keys()) {
        const ahead = roundsOf(i) - round - (i < index ? 1 : 0);
        leftMs += Math.max(0, ahead) * (lastMs[i] ?? known);
        left += Math.max(0, ahead);
      }
      yield { done, total: done + left, name: visit.name, leftMs };
      const begin = performance.now();
      await visit.measure(round);
      lastMs[index] = performance.now() - begin;
      done += 1;
    }
  }
}

/** `visitInRounds` to its end. @throws Interrupted between two visits, once the signal is aborted. */
export async function roundRobin(
  cases: readonly Visit[],
  { signal, onProgress, ...rounds }: RoundOptions,
): Promise<void> {
  for await (const progress of visitInRounds(cases, rounds)) {
    if (signal.aborted) throw new Interrupted();
    onProgress(progress);
  }
}
