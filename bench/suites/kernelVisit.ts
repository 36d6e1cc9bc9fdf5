import type { Gpu } from '../../src/gpu/gpu.ts';
import type { BenchCase } from '../harness.ts';
import type { Visit } from '../measure/rounds.ts';
import { summarize } from '../measure/statistics.ts';
import { hasTimestamps, leastJsMicroseconds, type Sample, timeRuns } from '../measure/time.ts';
import type { CaseResult } from '../report/schema.ts';

/** A case with what it belongs to, e.g. the operation. */
export interface FamilyCase extends BenchCase {
  readonly family: string;
}

/** Shortest measured interval: clocks tick in up to 65 us, and the threads of a software adapter have to wake up. */
const leastMs = { gpu: 2, wall: 20, software: 10 } as const;
const mostRuns = 1000;

/** A case that is measured once a round, and its result after the last one. */
export function kernelVisit(gpu: Gpu, benchCase: FamilyCase): Visit & { readonly result: () => CaseResult } {
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
