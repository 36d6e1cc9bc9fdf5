import type { Roofline } from '../measure/roofline.ts';
import { boundOf, idealMs } from '../measure/roofline.ts';
import type { SuiteReport } from '../suites/suite.ts';
import { failuresOf } from '../suites/suite.ts';
import type { CaseResult } from './schema.ts';
import { alignColumns, percent, short, withSpread } from './text.ts';
import { timeOf } from './timeOf.ts';

/** What a case reaches of the device's peaks. */
export interface Efficiency {
  readonly gflops: number;
  readonly gigabytesPerSecond: number;
  /** Time at the roofline over measured time; above 1 where the arrays stay in caches, which the copy's do not. */
  readonly share: number;
  readonly bound: 'arithmetic' | 'memory';
}

export function efficiencyOf(result: CaseResult, roofline: Roofline): Efficiency {
  const work = { flops: result.flops ?? 0, bytes: result.bytes ?? 0 };
  const ms = timeOf(result).median;
  return {
    gflops: work.flops / ms / 1e6,
    gigabytesPerSecond: work.bytes / ms / 1e6,
    share: idealMs(work, roofline) / ms,
    bound: boundOf(work, roofline),
  };
}

/** Results by family, in the order in which the families come. */
export function byFamily(results: readonly CaseResult[]): Map<string, CaseResult[]> {
  const families = new Map<string, CaseResult[]>();
  for (const result of results) families.set(result.family, [...(families.get(result.family) ?? []), result]);
  return families;
}

export const kernelColumns = [
  'ms',
  'GFLOP/s',
  'GB/s',
  'of roofline',
  'bound by',
  'dispatches',
  'JS us each',
  'compile ms',
] as const;

/** The cells of a case behind its name, in the order of `kernelColumns`. */
export function kernelCells(result: CaseResult, roofline: Roofline): string[] {
  const { gflops, gigabytesPerSecond, share, bound } = efficiencyOf(result, roofline);
  return [
    withSpread(timeOf(result)),
    gflops > 0 ? short(gflops) : '',
    short(gigabytesPerSecond),
    percent(share),
    bound,
    short(result.dispatches),
    short(result.jsMicrosecondsPerDispatch ?? Number.NaN),
    (result.compileMs ?? 0).toFixed(0),
  ];
}

export function kernelTable(report: SuiteReport, roofline: Roofline): string {
  const { results } = report;
  const rows = [...byFamily(results)].flatMap(([family, ofFamily]) => [
    [family],
    ...ofFamily.map((result) => [`  ${result.name}`, ...kernelCells(result, roofline)]),
  ]);
  const clock = results.some(({ clock }) => clock === 'gpu') ? 'GPU time by timestamps' : 'wall time (no timestamps)';
  const title = `Kernels: ${clock}, median of the rounds and spread of one`;
  return [title, alignColumns(['case', ...kernelColumns], rows), ...failuresOf(report)].join('\n');
}
