import type { SuiteReport } from '../suites/suite.ts';
import { failuresOf } from '../suites/suite.ts';
import type { CaseResult } from './schema.ts';
import { alignColumns, byteSize, percent, short, withSpread } from './text.ts';

/** `eager` or `replayed`, which ends the name of a case. */
export function formOf({ name }: CaseResult): string {
  return name.slice(name.lastIndexOf(', ') + 2);
}

/** Both forms of each model under its name. */
export function byModel(results: readonly CaseResult[]): [name: string, forms: CaseResult[]][] {
  const models = new Map<string, CaseResult[]>();
  for (const result of results) {
    const name = result.name.slice(0, result.name.lastIndexOf(', '));
    models.set(name, [...(models.get(name) ?? []), result]);
  }
  return [...models];
}

export const modelColumns = [
  'wall ms',
  'GPU ms',
  'per second',
  'dispatches',
  'JS us each',
  'peak memory',
  'compile ms',
];

/** The cells of a model behind its name, in the order of `modelColumns`. */
export function modelCells(result: CaseResult): string[] {
  const { wall, gpu, items, dispatches, jsMicrosecondsPerDispatch, peakBytes, compileMs } = result;
  return [
    withSpread(wall),
    gpu ? short(gpu.median) : '',
    items ? `${short((1000 * items.count) / wall.median)} ${items.unit}` : '',
    short(dispatches),
    short(jsMicrosecondsPerDispatch ?? Number.NaN),
    peakBytes === undefined ? '' : byteSize(peakBytes),
    compileMs === undefined ? '' : compileMs.toFixed(0),
  ];
}

const shownKernels = 8;

/** Where the GPU time of a step goes, e.g. `conv2dWeightGrad 34 % (12.3 ms, 16 dispatches, 5.1 GFLOP/s)`. */
function kernelLines({ name, kernels = [] }: CaseResult): string[] {
  if (kernels.length === 0) return [];
  const shown = kernels
    .slice(0, shownKernels)
    .map(({ name: kernel, share, ms, count, gflops, gigabytesPerSecond }) => [
      `  ${kernel}`,
      percent(share),
      short(ms),
      short(count),
      short(gflops),
      short(gigabytesPerSecond),
    ]);
  const rest = kernels.slice(shownKernels);
  if (rest.length > 0) {
    const sum = (of: (kernel: (typeof rest)[number]) => number): number => rest.reduce((all, one) => all + of(one), 0);
    shown.push([
      `  ${rest.length} others`,
      percent(sum(({ share }) => share)),
      short(sum(({ ms }) => ms)),
      short(sum(({ count }) => count)),
      '',
      '',
    ]);
  }
  return ['', alignColumns([name, 'of GPU time', 'ms', 'dispatches', 'GFLOP/s', 'GB/s'], shown)];
}

export function modelTable(report: SuiteReport): string {
  const { results } = report;
  const rows = byModel(results).flatMap(([name, forms]) => [
    [name],
    ...forms.map((result) => [`  ${formOf(result)}`, ...modelCells(result)]),
  ]);
  return [
    'Models: wall time of a step, median of the rounds and spread of one',
    alignColumns(['case', ...modelColumns], rows),
    ...failuresOf(report),
    ...results.flatMap(kernelLines),
  ].join('\n');
}
