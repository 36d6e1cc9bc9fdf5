import type { Measured } from '../measure/statistics.ts';
import { median } from '../measure/statistics.ts';
import type { PeerReport } from '../peers/suite.ts';
import { comparison } from '../peers/table.ts';
import { byFamily, efficiencyOf } from './kernelTable.ts';
import { formOf } from './modelTable.ts';
import type { BenchFile, CaseResult } from './schema.ts';
import { byteSize, percent, short } from './text.ts';

/** Committed results of one adapter. */
export interface NamedResults {
  /** Folder below bench/results. */
  readonly name: string;
  readonly file: BenchFile;
}

const begin = '<!-- performance: generated from bench/results by scripts/benchTable.ts -->';
const end = '<!-- end of performance -->';

type Row = readonly string[];

function markdownTable(header: Row, rows: readonly Row[]): string {
  const line = (cells: Row): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** One row per key that any adapter has, in the order of the first that has it; empty cells where one has not. */
function acrossAdapters(
  adapters: readonly NamedResults[],
  keysOf: (file: BenchFile) => ReadonlyMap<string, readonly string[]>,
  columns: number,
): Row[] {
  const tables = adapters.map(({ file }) => keysOf(file));
  const keys = [...new Set(tables.flatMap((table) => [...table.keys()]))];
  const none = Array.from({ length: columns }, () => '');
  return keys.map((key) => [key, ...tables.flatMap((table) => table.get(key) ?? none)]);
}

const ofSuite = ({ results }: BenchFile, suite: string): CaseResult[] =>
  results.filter((result) => result.suite === suite);

function modelRows(file: BenchFile): Map<string, string[]> {
  const replayed = ofSuite(file, 'models').filter((result) => formOf(result) === 'replayed');
  return new Map(
    replayed.map(({ name, wall, items, peakBytes = 0 }) => [
      name.slice(0, name.lastIndexOf(', ')),
      [
        `${short(wall.median)} ms ±${percent(wall.spread)}`,
        items ? `${short((1000 * items.count) / wall.median)} ${items.unit}/s` : '',
        byteSize(peakBytes),
      ],
    ]),
  );
}

function kernelRows(file: BenchFile): Map<string, string[]> {
  return new Map(
    [...byFamily(ofSuite(file, 'kernels'))].map(([family, results]) => {
      const reached = results.map((result) => efficiencyOf(result, file.roofline));
      const best = Math.max(...reached.map(({ gflops }) => gflops));
      const fastest = Math.max(...reached.map(({ gigabytesPerSecond }) => gigabytesPerSecond));
      return [
        family,
        [percent(median(reached.map(({ share }) => share))), best > 0 ? short(best) : '', short(fastest)],
      ];
    }),
  );
}

function overheadRows(file: BenchFile): Map<string, string[]> {
  return new Map(
    ofSuite(file, 'overhead').map(({ family, name, jsMicrosecondsPerDispatch = Number.NaN, wall, dispatches }) => [
      `${family}: ${name}`,
      [short(jsMicrosecondsPerDispatch), short((1000 * wall.median) / dispatches)],
    ]),
  );
}

function peerRows({ extra }: BenchFile): Map<string, string[]> {
  const { rows = [] } = (extra.peers ?? {}) as Partial<PeerReport>;
  return new Map(
    rows.flatMap((row) => {
      const found = comparison(row);
      if (!found) return [];
      const { ours, peer, ms, ratio } = found;
      return [[row.title, [`${short(ours)} ms`, `${short(ms)} ms (${peer})`, `${short(ratio)}x`]] as const];
    }),
  );
}

/** Best rate, and the middle one: far below it, other programs had the processor. */
function peakText(best: number, { low, median: middle }: Measured, unit: string): string {
  return `${short(best)} ${unit}, median ${short((best * low) / middle)}`;
}

/** Libraries alone are measured on their own adapter, a browser's for example; the file's roofline is not about that one. */
function deviceRow({ name, file }: NamedResults): Row {
  const { processor, versions, roofline, date, results, extra } = file;
  const measured = `${date.slice(0, 10)}, \`${versions.commit}\``;
  const peers = results.length === 0 ? (extra.peers as PeerReport | undefined) : undefined;
  const { kind, architecture, description } = peers?.adapter ?? file.adapter;
  const title = peers && architecture ? `${architecture} (${description})` : description;
  const where = kind === 'software' ? `${title}; ${processor.cores} cores of ${processor.model}` : title;
  if (peers) return [name, where, '', '', measured];
  const rates = [
    peakText(roofline.gflops, roofline.arithmetic, 'GFLOP/s'),
    peakText(roofline.gigabytesPerSecond, roofline.copy, 'GB/s'),
  ];
  return [name, where, ...rates, measured];
}

/** What the README says of speed, from committed results. */
export function performanceText(adapters: readonly NamedResults[]): string {
  const device = markdownTable(['', 'adapter', 'multiply-adds', 'copying', 'measured'], adapters.map(deviceRow));
  const parts = [device];
  const add = (
    sentence: string,
    first: string,
    columns: Row,
    rowsOf: (file: BenchFile) => Map<string, string[]>,
  ): void => {
    const measured = adapters.filter(({ file }) => rowsOf(file).size > 0);
    const rows = acrossAdapters(measured, rowsOf, columns.length);
    const header = measured.flatMap(({ name }) => columns.map((column) => `${name}: ${column}`));
    if (rows.length > 0) parts.push(`${sentence}:`, markdownTable([first, ...header], rows));
  };
  add(
    'Whole steps, replayed, with the spread of one measurement; the memory is what tensors held at most',
    'step',
    ['wall time', 'rate', 'memory'],
    modelRows,
  );
  add(
    'Kernels: the share of the roofline is the median over the cases of a family (forward and backward), beside the\n' +
      'best GFLOP/s and GB/s of any of them',
    'family',
    ['of roofline', 'GFLOP/s', 'GB/s'],
    kernelRows,
  );
  add(
    'What a dispatch costs in microseconds: JavaScript, and wall clock until the queue is idle',
    'dispatches',
    ['JavaScript', 'wall'],
    overheadRows,
  );
  add(
    'The same work in other WebGPU libraries, in the same run on the same adapter, results checked; median wall times, ours\n' +
      'and those of the fastest other one',
    'work',
    ['ours', 'fastest other', 'we are faster by'],
    peerRows,
  );
  return parts.join('\n\n');
}

/** The README with the generated part replaced. @throws Error if it lacks the markers. */
export function withPerformance(readme: string, adapters: readonly NamedResults[]): string {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`The README has no lines "${begin}" and "${end}".`);
  return `${readme.slice(0, from)}${begin}\n\n${performanceText(adapters)}\n\n${readme.slice(to)}`;
}
