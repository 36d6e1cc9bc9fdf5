import { readdirSync } from 'node:fs';
import { join, parse } from 'node:path';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { BenchCase, CasesOf } from '../harness.ts';
import type { Visit } from '../measure/rounds.ts';
import { planRounds, roundRobin } from '../measure/rounds.ts';
import { summarize } from '../measure/statistics.ts';
import type { Sample } from '../measure/time.ts';
import { hasTimestamps, leastJsMicroseconds, timeRuns } from '../measure/time.ts';
import { kernelSection } from '../report/kernelSection.ts';
import { kernelTable } from '../report/kernelTable.ts';
import type { CaseResult } from '../report/schema.ts';
import type { Suite, SuiteOptions } from './suite.ts';
import { leaveOutFailing } from './suite.ts';

interface FamilyCase extends BenchCase {
  readonly family: string;
}

/** The batches of the paper's world; a software adapter gets through one image or text. */
const defaultBatches = { hardware: [1, 32, 128], software: [1] } as const;

/** Every file beside main.ts but this is an operation. */
const notOperations = /^(main|harness)$/;

/** The cases of all operations, one file of `bench/` each, that contain the text of `--only`. */
export async function collectKernelCases(
  { only, batches }: SuiteOptions,
  kind: 'hardware' | 'software',
): Promise<FamilyCase[]> {
  const folder = join(import.meta.dirname, '..');
  const families = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !notOperations.test(parse(file).name))
    .map((file) => parse(file).name)
    .sort();
  const found: FamilyCase[] = [];
  for (const family of families) {
    const { cases } = (await import(`../${family}.ts`)) as { readonly cases: CasesOf };
    const all = (batches ?? defaultBatches[kind]).flatMap((batch) => cases({ batch, small: kind === 'software' }));
    const unique = new Map(all.map((benchCase) => [benchCase.name, { ...benchCase, family }]));
    for (const benchCase of unique.values()) {
      if (`${family} ${benchCase.name}`.toLowerCase().includes(only)) found.push(benchCase);
    }
  }
  return found;
}

/** Shortest measured interval: clocks tick in up to 65 us, and the threads of a software adapter have to wake up. */
const leastMs = { gpu: 2, wall: 20, software: 10 } as const;
const mostRuns = 1000;

/** A case that is measured once a round, and its result after the last one. */
function kernelVisit(gpu: Gpu, benchCase: FamilyCase): Visit & { readonly result: () => CaseResult } {
  const { name, family, flops, bytes } = benchCase;
  const samples: Sample[] = [];
  let firstMs = 0;
  let runs = 1;
  const measure = async (round: number): Promise<void> => {
    using _inputs = gpu.scopes.open();
    const record = benchCase.prepare(gpu);
    const first = await timeRuns(gpu, record, 1);
    if (round === 0) {
      firstMs = first.wallMs;
      const { gpuMs, wallMs } = await timeRuns(gpu, record, 1);
      const least = gpu.adapter.kind === 'software' ? leastMs.software : leastMs[hasTimestamps(gpu) ? 'gpu' : 'wall'];
      runs = Math.min(mostRuns, Math.max(1, Math.ceil(least / Math.max(1e-3, gpuMs ?? wallMs))));
    }
    samples.push(await timeRuns(gpu, record, runs));
  };
  const result = (): CaseResult => {
    const onGpu = samples.flatMap(({ gpuMs }) => gpuMs ?? []);
    const wall = summarize(samples.map(({ wallMs }) => wallMs));
    const dispatches = samples[0]?.dispatches ?? 0;
    return {
      suite: 'kernels',
      family,
      name,
      clock: onGpu.length > 0 ? 'gpu' : 'wall',
      wall,
      ...(onGpu.length > 0 ? { gpu: summarize(onGpu) } : {}),
      flops,
      bytes,
      dispatches,
      jsMicrosecondsPerDispatch: leastJsMicroseconds(samples),
      compileMs: Math.max(0, firstMs - wall.median),
    };
  };
  return { name, measure, result };
}

export const kernelSuite: Suite = {
  name: 'kernels',
  about: 'every kernel, forward and backward, at the shapes of ResNet-50 and BERT-base',
  count: async (options) => (await collectKernelCases(options, 'hardware')).length,
  run: async ({ gpu, signal, onProgress, calibrate, ...options }) => {
    const failures: string[] = [];
    const found = await collectKernelCases(options, gpu.adapter.kind);
    const visits = found.map((benchCase) => leaveOutFailing(kernelVisit(gpu, benchCase), failures));
    const plan = planRounds(options.rounds, gpu.adapter.kind, 2);
    await roundRobin([...visits, { name: 'roofline', measure: calibrate }], { ...plan, signal, onProgress });
    const results = visits.filter((visit) => !visit.failed()).map((visit) => visit.result());
    return { results, ...(failures.length > 0 ? { extra: { failures } } : {}) };
  },
  table: kernelTable,
  html: kernelSection,
};
