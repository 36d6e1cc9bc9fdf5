import { unravel } from './compare.ts';
import type { CaseReport, GroupReport, TensorCheck } from './report.ts';
import { hasFailed } from './report.ts';

/** Failing tensors of one case that are printed; more are counted. */
const maxTensors = 6;

/** Characters of an error message that are printed. */
const maxProblem = 300;

const columns = [
  ['group', 16],
  ['cases', -6],
  ['passed', -7],
  ['failed', -7],
  ['unsupported', -12],
  ['seconds', -9],
] as const;

/** Left-aligned for a positive width, right-aligned for a negative one. */
function pad(text: string, width: number): string {
  return width > 0 ? text.padEnd(width) : text.padStart(-width);
}

function row(cells: readonly string[], last: string): string {
  return `${columns.map(([, width], i) => pad(cells[i] ?? '', width)).join('')}  ${last}`;
}

export function tableHeader(): string {
  return row(
    columns.map(([title]) => title),
    'worst error / tolerance',
  );
}

export function formatRatio(ratio: number): string {
  return Number.isFinite(ratio) ? ratio.toPrecision(ratio < 1000 ? 3 : 4) : 'infinite';
}

export function groupRow(report: GroupReport): string {
  const { worst } = report;
  const cells = [report.group, report.cases, report.passed, report.failed, report.unsupported].map(String);
  const where = worst.ratio > 0 ? `${formatRatio(worst.ratio)}  (${worst.case}: ${worst.tensor})` : '0';
  return row([...cells, (report.milliseconds / 1000).toFixed(1)], where);
}

function mismatchText(check: TensorCheck): string {
  if (check.problem) return check.problem;
  const { worst } = check;
  if (!worst) return '';
  const { index, got, expected, tolerance } = worst;
  const label = check.label ? ` of ${check.label}` : '';
  const place = check.shape.length > 1 ? `${index} [${unravel(index, check.shape).join(', ')}]` : `${index}`;
  const error = `${formatRatio(check.worstRatio)} times the tolerance ${tolerance.toPrecision(3)}`;
  return `element ${place}${label}: expected ${expected}, got ${got} (${error}; ${check.bad} of ${check.elements} elements miss)`;
}

/** The lines that tell why a case did not pass. */
export function failureLines(report: CaseReport): string[] {
  const title = `${report.status === 'unsupported' ? 'UNSUPPORTED' : 'FAILED'} ${report.group}/${report.name}`;
  const failing = report.checks.filter(hasFailed);
  const lines = failing.slice(0, maxTensors).map((check) => `${title} ${check.tensor}: ${mismatchText(check)}`);
  if (failing.length > maxTensors) lines.push(`${title}: ${failing.length - maxTensors} more tensors miss`);
  if (report.problem) lines.unshift(`${title}: ${report.problem.replace(/\s+/g, ' ').slice(0, maxProblem)}`);
  return lines;
}

export function summaryLine(groups: readonly GroupReport[]): string {
  const sum = (count: (group: GroupReport) => number): number => groups.reduce((total, g) => total + count(g), 0);
  const [cases, passed, failed] = [sum((g) => g.cases), sum((g) => g.passed), sum((g) => g.failed)];
  const unsupported = sum((g) => g.unsupported);
  const verdict = failed === 0 && cases > 0 ? 'PASS' : 'FAIL';
  const why = unsupported > 0 ? ` (${unsupported} of them unsupported)` : '';
  return `${verdict}: ${passed} of ${cases} cases passed, ${failed} failed${why}, in ${groups.length} groups.`;
}
