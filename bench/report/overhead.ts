import { section, tableHtml } from './markup.ts';
import type { CaseResult } from './schema.ts';
import { alignColumns, short, withSpread } from './text.ts';

const columns = ['wall ms', 'JS us per dispatch', 'wall us per dispatch'] as const;

function cells(result: CaseResult): string[] {
  const { wall, dispatches, jsMicrosecondsPerDispatch } = result;
  return [
    withSpread(wall),
    short(jsMicrosecondsPerDispatch ?? Number.NaN),
    short((1000 * wall.median) / Math.max(1, dispatches)),
  ];
}

export function overheadTable(results: readonly CaseResult[]): string {
  const rows = results.map((result) => [`${result.family}: ${result.name}`, ...cells(result)]);
  return `Overhead of a dispatch\n${alignColumns(['case', ...columns], rows)}`;
}

export function overheadSection(results: readonly CaseResult[]): string {
  const rows = results.map((result) => [`${result.family}: ${result.name}`, ...cells(result)]);
  const note = 'What the host spends on recording and submitting, and the time until the queue is idle.';
  return section('Overhead of a dispatch', note, tableHtml(['case', ...columns], rows));
}
