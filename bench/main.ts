/**
 * Median wall time of kernels at a few shapes. Figures of a software adapter are only good as ratios within one run.
 */
import { readdirSync } from 'node:fs';
import { parse } from 'node:path';
import { parseArgs } from 'node:util';
import { openGpu } from '../src/cli/adapter.ts';
import type { AdapterChoice } from '../src/cli/common.ts';
import { adapterChoices, command, UsageError } from '../src/cli/common.ts';
import { describeAdapter } from '../src/gpu/adapter.ts';
import { writeJsonAtomic } from '../src/io/atomic.node.ts';
import type { BenchCase, BenchResult } from './harness.ts';
import { measure } from './harness.ts';

const usage = `Usage: npm run bench -- [options]
  --only <text>      cases whose name, or whose file in bench/, contains the text
  --adapter <kind>   ${adapterChoices.join(', ')} (default: auto)
  --json <file>      write the results there too
  --help             show this text
`;

const flags = {
  only: { type: 'string', default: '' },
  adapter: { type: 'string', default: 'auto' },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

function readFlags() {
  try {
    return parseArgs({ options: flags }).values;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Node's first sentence names the flag, the others are advice that does not fit here.
    const [problem] = error.message.split(/\.\s|\n/);
    throw new UsageError(`${problem}; the benchmark takes --only, --adapter, --json and --help.`);
  }
}

function adapterChoice(kind: string): AdapterChoice {
  const known = adapterChoices.find((choice) => choice === kind);
  if (!known) throw new UsageError(`--adapter is "${kind}"; expected one of ${adapterChoices.join(', ')}.`);
  return known;
}

async function collectCases(only: string): Promise<BenchCase[]> {
  const files = readdirSync(import.meta.dirname).filter((file) => /^(?!main|harness).*\.ts$/.test(file));
  const wanted = only.toLowerCase();
  const perFile = await Promise.all(
    files.sort().map(async (file) => {
      const { cases } = (await import(`./${file}`)) as { cases: readonly BenchCase[] };
      const ofFile = parse(file).name.toLowerCase().includes(wanted);
      return cases.filter(({ name }) => ofFile || name.toLowerCase().includes(wanted));
    }),
  );
  const cases = perFile.flat();
  if (cases.length > 0) return cases;
  const families = files.map((file) => parse(file).name).join(', ');
  throw new UsageError(`No case contains "${only}"; expected a part of a case's name or one of ${families}.`);
}

async function runBenchmark(): Promise<void> {
  const { only, adapter, json, help } = readFlags();
  if (help) {
    process.stdout.write(usage);
    return;
  }
  const choice = adapterChoice(adapter);
  const cases = await collectCases(only);
  const nameWidth = Math.max(...cases.map(({ name }) => name.length)) + 2;
  const line = (name: string, ...columns: readonly string[]): string =>
    name.padEnd(nameWidth) + columns.map((text) => text.padStart(11)).join('');
  using gpu = await openGpu(choice, false);
  console.log(`\n${line('case', 'median ms', 'GFLOP/s', 'GB/s', 'dispatches', 'JS us each', 'first ms')}`);
  const results: BenchResult[] = [];
  for (const benchCase of cases) {
    const result = await measure(gpu, benchCase);
    results.push(result);
    const { name, medianMs, gflops, gigabytesPerSecond, dispatches, jsMicrosecondsPerDispatch, firstMs } = result;
    const columns = [medianMs.toFixed(2), gflops.toFixed(2), gigabytesPerSecond.toFixed(2), dispatches.toFixed(0)];
    console.log(line(name, ...columns, jsMicrosecondsPerDispatch.toFixed(2), firstMs.toFixed(0)));
  }
  if (json) {
    const date = new Date().toISOString();
    await writeJsonAtomic(json, { adapter: describeAdapter(gpu.adapter), date, node: process.version, results });
  }
}

await command(runBenchmark)();
