import type { AdapterChoice } from '../../src/cli/common.ts';
import { GpuError } from '../../src/gpu/errors.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Roofline } from '../measure/roofline.ts';
import type { Progress, Visit } from '../measure/rounds.ts';
import type { CaseResult } from '../report/schema.ts';

/** What the command line asks of every suite. */
export interface SuiteOptions {
  /** Lower case; only cases whose name or family contains it. Empty = all. */
  readonly only: string;
  /** Images or texts per case; undefined = what suits the adapter. */
  readonly batches: readonly number[] | undefined;
  /** Measurements of each case; undefined = the usual number, in the time that a suite may take. */
  readonly rounds: number | undefined;
  /** Other libraries, and we beside them, run in headless Chromium. */
  readonly browser: boolean;
}

export interface SuiteContext extends SuiteOptions {
  readonly gpu: Gpu;
  /** As asked for on the command line, for work in other processes. */
  readonly adapter: AdapterChoice;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** Measures the device's peaks again; called once a round. */
  readonly calibrate: () => Promise<void>;
}

export interface SuiteReport {
  /** What a baseline is compared with. */
  readonly results: readonly CaseResult[];
  /** Whatever else belongs into the JSON, under the name of the suite. */
  readonly extra?: unknown;
}

export interface Suite {
  readonly name: string;
  /** For `--help`. */
  readonly about: string;
  /** Number of cases; 0 when `only` excludes all of them. Asked before a device is opened. */
  readonly count: (options: SuiteOptions) => Promise<number>;
  /** @throws Interrupted when the user asked to stop. */
  readonly run: (context: SuiteContext) => Promise<SuiteReport>;
  /** The results as lines for the terminal. */
  readonly table: (report: SuiteReport, roofline: Roofline) => string;
  /** The results as sections of the HTML report. */
  readonly html: (report: SuiteReport, roofline: Roofline) => string;
}

/** Sentences about cases that are left out. */
export function failuresOf({ extra }: SuiteReport): readonly string[] {
  const { failures } = (extra ?? {}) as { readonly failures?: readonly string[] };
  return failures ?? [];
}

/** A visit that is left out from the first `GpuError` on: large cases do not fit on small cards, and the others go on. */
export function leaveOutFailing<V extends Visit>(visit: V, failures: string[]): V & { readonly failed: () => boolean } {
  let failed = false;
  const measure = async (round: number): Promise<void> => {
    if (failed) return;
    try {
      await visit.measure(round);
    } catch (error) {
      if (!(error instanceof GpuError)) throw error;
      failed = true;
      failures.push(`${visit.name} is left out: ${error.message}`);
    }
  };
  return { ...visit, measure, failed: () => failed };
}
