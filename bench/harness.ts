import type { Gpu } from '../src/gpu/gpu.ts';
import { NDArray } from '../src/kernels/ndarray.ts';
import type { Shape } from '../src/kernels/shape.ts';
import { numel } from '../src/kernels/shape.ts';

/** One measured piece of work. */
export interface BenchCase {
  readonly name: string;
  /** Floating point operations and bytes that an ideal implementation moves. */
  readonly flops: number;
  readonly bytes: number;
  /** Makes the inputs once; the returned function records the work and is run many times inside a scope. */
  readonly prepare: (gpu: Gpu) => () => void;
}

export interface BenchResult {
  readonly name: string;
  /** First run: pipelines are compiled in it. */
  readonly firstMs: number;
  readonly medianMs: number;
  readonly gflops: number;
  readonly gigabytesPerSecond: number;
}

/** Numbers in [-1, 1) from a fixed sequence, so that every run multiplies the same values. */
export function randomArray(gpu: Gpu, shape: Shape, seed = 1): NDArray {
  let state = seed >>> 0;
  const values = Float32Array.from({ length: numel(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
  return NDArray.from(gpu, values, shape);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Wall time of a case: recorded often enough that one measurement takes `leastMs`, median of `repeats`. */
export async function measure(gpu: Gpu, benchCase: BenchCase, repeats = 5, leastMs = 20): Promise<BenchResult> {
  const work = benchCase.prepare(gpu);
  const time = async (count: number): Promise<number> => {
    const begin = performance.now();
    for (let i = 0; i < count; i++) gpu.scope(work);
    await gpu.finish();
    return (performance.now() - begin) / count;
  };
  const firstMs = await time(1);
  const once = await time(1);
  const count = Math.max(1, Math.ceil(leastMs / once));
  const samples: number[] = [];
  for (let i = 0; i < repeats; i++) samples.push(await time(count));
  const medianMs = median(samples);
  return {
    name: benchCase.name,
    firstMs,
    medianMs,
    gflops: benchCase.flops / medianMs / 1e6,
    gigabytesPerSecond: benchCase.bytes / medianMs / 1e6,
  };
}
