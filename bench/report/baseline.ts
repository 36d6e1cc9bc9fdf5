import { readFileSync } from 'node:fs';
import { UsageError } from '../../src/cli/common.ts';
import { median } from '../measure/statistics.ts';
import type { BenchFile, CaseResult } from './schema.ts';
import { benchFileSchema } from './schema.ts';
import { alignColumns, percent, withSpread } from './text.ts';
import { timeOf } from './timeOf.ts';

/** Reads results of `--json`. @throws UsageError with a sentence if it is not such a file. */
export function readBenchFile(path: string): BenchFile {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${path} cannot be read as results of the benchmark: ${reason}.`);
  }
  const parsed = benchFileSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') || 'the file';
  throw new UsageError(
    `${path} is not a file of "npm run bench -- --json": ${field}: ${issue?.message ?? 'is not valid'}.`,
  );
}

type Device = Pick<BenchFile, 'adapter' | 'processor' | 'toggles'>;

/** Everything that has to be the same for times to be comparable; a software adapter is as fast as its processor. */
function identity({ adapter, processor, toggles }: Device): readonly (readonly [what: string, value: string])[] {
  const { vendor, architecture, device, description, kind } = adapter;
  return [
    ['adapter', [vendor, architecture, device].join(' ')],
    ['driver', description],
    ...(kind === 'software' ? ([['processor', `${processor.model}, ${processor.cores} cores`]] as const) : []),
    ['toggles', toggles.join(' ')],
  ];
}

/** @throws UsageError that says how the devices differ. */
export function requireSameDevice(path: string, baseline: Device, current: Device): void {
  const [before, now] = [identity(baseline), identity(current)];
  for (const [i, [what, value]] of now.entries()) {
    const other = before[i]?.[1];
    if (other === value) continue;
    throw new UsageError(
      `${path} was measured on another ${what} ("${other ?? 'none'}", this is "${value}"); times of different devices are not compared.`,
    );
  }
}

export interface Comparison {
  readonly result: CaseResult;
  readonly before: CaseResult;
  /** Time now over time before. */
  readonly ratio: number;
  /** Ratios up to this are noise. */
  readonly limit: number;
  readonly verdict: 'slower' | 'faster' | 'same';
}

/** Deviations of a difference that chance hardly reaches. */
const deviations = 3;
/** Two runs of the same program differ by this much on a quiet machine: other addresses, other clocks. */
const leastNoise = 0.02;

/**
 * How far two runs may differ: the spread that each of them measured for the case, and how much the device itself
 * changed between them in the micro-kernels. Few rounds may agree by chance, so a case counts as at least as noisy as
 * the middle one of its file.
 */
export function compareResults(current: BenchFile, baseline: BenchFile): Comparison[] {
  const known = new Map(baseline.results.map((result) => [`${result.suite}/${result.name}`, result]));
  const typical = (file: BenchFile): number => median(file.results.map((result) => timeOf(result).spread));
  const [typicalNow, typicalBefore] = [typical(current), typical(baseline)];
  const drift = Math.max(
    Math.abs(Math.log(current.roofline.arithmetic.median / baseline.roofline.arithmetic.median)),
    Math.abs(Math.log(current.roofline.copy.median / baseline.roofline.copy.median)),
  );
  return current.results.flatMap((result) => {
    const before = known.get(`${result.suite}/${result.name}`);
    if (!before || before.clock !== result.clock) return [];
    const [now, then] = [timeOf(result), timeOf(before)];
    const spread = Math.hypot(Math.max(now.spread, typicalNow), Math.max(then.spread, typicalBefore));
    const limit = Math.exp(Math.max(leastNoise, deviations * spread) + drift);
    const ratio = now.median / then.median;
    const verdict = ratio > limit ? 'slower' : ratio < 1 / limit ? 'faster' : 'same';
    return [{ result, before, ratio, limit, verdict }];
  });
}

/** Cases that changed, then a sentence about all of them. */
export function comparisonText(comparisons: readonly Comparison[], path: string): string {
  if (comparisons.length === 0) return `Against ${path}: it has no case of this run.`;
  const changed = comparisons.filter(({ verdict }) => verdict !== 'same').sort((a, b) => b.ratio - a.ratio);
  const rows = changed.map(({ result, before, ratio, limit, verdict }) => [
    `${result.suite}: ${result.name}`,
    withSpread(timeOf(before)),
    withSpread(timeOf(result)),
    `${ratio.toFixed(2)}x`,
    percent(limit - 1),
    verdict,
  ]);
  const count = (wanted: Comparison['verdict']): number =>
    comparisons.filter(({ verdict }) => verdict === wanted).length;
  const summary =
    `Against ${path}: ${count('slower')} slower, ${count('faster')} faster, ${count('same')} within the noise, ` +
    `median ratio ${median(comparisons.map(({ ratio }) => ratio)).toFixed(2)}.`;
  if (rows.length === 0) return summary;
  return `${alignColumns(['case', 'before ms', 'now ms', 'ratio', 'noise', ''], rows)}\n${summary}`;
}
