/**
 * `npm run bench [-- --only <text>] [--json <file>]`: median wall time of kernels at a few shapes, on the adapter that
 * is found. Figures of a software adapter are only good as ratios within one run.
 */
import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeAdapter } from '../src/gpu/adapter.ts';
import { createGpu } from '../src/gpu/create.node.ts';
import { writeJsonAtomic } from '../src/io/atomic.node.ts';
import type { BenchCase, BenchResult } from './harness.ts';
import { measure } from './harness.ts';

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, json: { type: 'string' } } });

async function collectCases(): Promise<BenchCase[]> {
  const files = readdirSync(import.meta.dirname).filter((file) => /^(?!main|harness).*\.ts$/.test(file));
  const modules = await Promise.all(
    files.map((file) => import(`./${file}`) as Promise<{ cases: readonly BenchCase[] }>),
  );
  return modules.flatMap(({ cases }) => cases);
}

const gpu = await createGpu({ checks: false });
const adapter = describeAdapter(gpu.adapter);
const cases = (await collectCases()).filter(({ name }) => name.includes(values.only));
console.log(`Adapter: ${adapter}\n`);
console.log(
  `${'case'.padEnd(44)}${'median ms'.padStart(12)}${'GFLOP/s'.padStart(10)}${'GB/s'.padStart(8)}${'first ms'.padStart(11)}`,
);
const results: BenchResult[] = [];
for (const benchCase of cases) {
  const result = await measure(gpu, benchCase);
  results.push(result);
  const { name, medianMs, gflops, gigabytesPerSecond, firstMs } = result;
  console.log(
    `${name.padEnd(44)}${medianMs.toFixed(2).padStart(12)}${gflops.toFixed(2).padStart(10)}` +
      `${gigabytesPerSecond.toFixed(2).padStart(8)}${firstMs.toFixed(0).padStart(11)}`,
  );
}
if (values.json) {
  await writeJsonAtomic(values.json, { adapter, date: new Date().toISOString(), node: process.version, results });
}
gpu.dispose();
