import type { SuiteReport } from '../suites/suite.ts';
import { failuresOf } from '../suites/suite.ts';
import { sharesSvg } from './charts.ts';
import { folded, notes, section, tableHtml } from './markup.ts';
import { byModel, formOf, modelCells, modelColumns } from './modelTable.ts';
import type { CaseResult } from './schema.ts';
import { percent, short } from './text.ts';

function kernelsHtml([name, forms]: readonly [name: string, forms: readonly CaseResult[]]): string {
  const kernels = forms.flatMap((result) => result.kernels ?? []);
  if (kernels.length === 0) return '';
  const rows = kernels.map((kernel) => [
    kernel.name,
    percent(kernel.share),
    short(kernel.ms),
    short(kernel.count),
    short(kernel.gflops),
    short(kernel.gigabytesPerSecond),
  ]);
  return folded(
    `${name}, by kernel`,
    tableHtml(['kernel', 'of GPU time', 'ms', 'dispatches', 'GFLOP/s', 'GB/s'], rows),
  );
}

/** As many kernels as there are colours; all others share the last. */
const shownKernels = 8;

function kernelChart(models: readonly (readonly [name: string, forms: readonly CaseResult[]])[]): string {
  const profiled = models.flatMap(([name, forms]) => {
    const kernels = forms.flatMap((result) => result.kernels ?? []);
    return kernels.length > 0 ? [{ name, shares: new Map(kernels.map((kernel) => [kernel.name, kernel.share])) }] : [];
  });
  if (profiled.length === 0) return '';
  const totals = new Map<string, number>();
  for (const { shares } of profiled) {
    for (const [kernel, share] of shares) totals.set(kernel, (totals.get(kernel) ?? 0) + share);
  }
  const shown = [...totals]
    .sort((a, b) => b[1] - a[1])
    .slice(0, shownKernels)
    .map(([kernel]) => kernel);
  const series = shown.map((name) => ({ name, shares: profiled.map(({ shares }) => shares.get(name) ?? 0) }));
  const rest = profiled.map((_, i) => Math.max(0, 1 - series.reduce((sum, { shares }) => sum + (shares[i] ?? 0), 0)));
  const rows = profiled.map(({ name }) => name);
  const svg = sharesSvg('GPU time of a step by kernel', rows, [...series, { name: 'others', shares: rest }]);
  return `<div class="chart">${svg}</div>`;
}

export function modelSection(report: SuiteReport): string {
  const models = byModel(report.results);
  if (models.length === 0) return '';
  const rows = models.flatMap(([name, forms]) => [
    [name],
    ...forms.map((result) => [formOf(result), ...modelCells(result)]),
  ]);
  const note = 'Wall time of a step with everything that the host does, beside the time of its kernels on the GPU.';
  const tables = models.map(kernelsHtml).join('');
  const main = tableHtml(['form', ...modelColumns], rows);
  return section('Models', note, main + notes(failuresOf(report)) + kernelChart(models) + tables);
}
