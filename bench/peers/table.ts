import { describeAdapter } from '../../src/gpu/adapter.ts';
import type { Contender } from './protocol.ts';
import type { PeerCell, PeerReport, PeerRow } from './suite.ts';

const titleWidth = 58;
const cellWidth = 13;

const isOurs = (contender: Contender): boolean => contender.startsWith('groundray');
const isYardstick = (contender: Contender): boolean => contender.startsWith('pytorch');

function milliseconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

function cellText(cell: PeerCell | undefined): string {
  if (cell?.status === 'measured') return milliseconds(cell.medianMs);
  return cell?.status === 'wrong' ? 'wrong' : '-';
}

/** Best of ours, best of the others, and how many times faster we are (PyTorch aside); undefined where one of them has no result. */
export function comparison({
  cells,
}: PeerRow): { ours: number; peer: Contender; ms: number; ratio: number } | undefined {
  const measured = (Object.entries(cells) as [Contender, PeerCell][]).flatMap(([contender, cell]) =>
    cell.status === 'measured' ? [{ contender, ms: cell.medianMs }] : [],
  );
  const fastest = (mine: boolean) =>
    measured
      .filter(({ contender }) => isOurs(contender) === mine && !isYardstick(contender))
      .sort((a, b) => a.ms - b.ms)[0];
  const [ours, other] = [fastest(true), fastest(false)];
  return ours && other ? { ours: ours.ms, peer: other.contender, ms: other.ms, ratio: other.ms / ours.ms } : undefined;
}

const shortName = (contender: Contender): string => (contender === 'groundray-replayed' ? 'replayed' : contender);

export function formatHeader(contenders: readonly Contender[]): string {
  const names = contenders.map((contender) => shortName(contender).padStart(cellWidth)).join('');
  return `${'median ms'.padEnd(titleWidth)}${names}${'faster by'.padStart(cellWidth)}`;
}

export function formatRow(row: PeerRow, contenders: readonly Contender[]): string {
  const cells = contenders.map((contender) => cellText(row.cells[contender]).padStart(cellWidth)).join('');
  const found = comparison(row);
  return `${row.title.padEnd(titleWidth)}${cells}${(found ? `${found.ratio.toFixed(2)}x` : '').padStart(cellWidth)}`;
}

/** Adapter, versions, and a sentence for everything that could not be measured. */
export function formatSummary({ adapter, libraries, rows }: PeerReport): string {
  const versions = Object.entries(libraries).map(([name, version]) => `${name} ${version}`.trim());
  const lines = [`Adapter: ${adapter ? describeAdapter(adapter) : 'none'}`, `Libraries: ${versions.join(', ')}`];
  for (const { title, cells } of rows)
    for (const [contender, cell] of Object.entries(cells))
      if (cell.status !== 'measured') lines.push(`${title}, ${contender}, ${cell.status}: ${cell.reason}`);
  return lines.join('\n');
}
