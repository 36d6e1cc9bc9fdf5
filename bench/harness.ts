import { backward } from '../src/autograd/tape.ts';
import type { Tensor } from '../src/autograd/tensor.ts';
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
  readonly dispatches: number;
  /** JavaScript time to record one dispatch, submission included. */
  readonly jsMicrosecondsPerDispatch: number;
}

/** `count` numbers in [0, 1) from a fixed sequence, so that every run works on the same values. */
function sequence(count: number, seed: number): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  });
}

/** Numbers in [-1, 1). */
export function randomArray(gpu: Gpu, shape: Shape, seed = 1): NDArray {
  return NDArray.from(
    gpu,
    Float32Array.from(sequence(numel(shape), seed), (x) => 2 * x - 1),
    shape,
  );
}

/** Whole numbers (i32) in [0, below). */
export function randomIndices(gpu: Gpu, shape: Shape, below: number, seed = 1): NDArray {
  return NDArray.from(
    gpu,
    Int32Array.from(sequence(numel(shape), seed), (x) => Math.floor(x * below)),
    shape,
    'i32',
  );
}

/** i32 `[rows, columns]`: 1 in the first `present` columns, 0 behind them, as in a padded batch of texts. */
export function paddingMask(gpu: Gpu, rows: number, columns: number, present: number): NDArray {
  const values = Int32Array.from({ length: rows * columns }, (_, i) => (i % columns < present ? 1 : 0));
  return NDArray.from(gpu, values, [rows, columns], 'i32');
}

/** Back-propagates to `leaves` and drops their gradients, so that every run starts without any. */
export function backwardAndDrop(
  leaves: readonly Tensor[],
  outputs: readonly Tensor[],
  upstream: readonly NDArray[] = [],
): void {
  backward(outputs, upstream);
  for (const leaf of leaves) {
    leaf.grad?.dispose();
    leaf.grad = undefined;
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Wall time of a case: recorded often enough that one measurement takes `leastMs`, median of `repeats`. */
export async function measure(gpu: Gpu, benchCase: BenchCase, repeats = 5, leastMs = 20): Promise<BenchResult> {
  const work = benchCase.prepare(gpu);
  const time = async (count: number): Promise<{ ms: number; jsMs: number; dispatches: number }> => {
    const before = gpu.counters.dispatches;
    const begin = performance.now();
    for (let i = 0; i < count; i++) gpu.scope(work);
    const recorded = performance.now();
    await gpu.finish();
    return {
      ms: (performance.now() - begin) / count,
      jsMs: (recorded - begin) / count,
      dispatches: (gpu.counters.dispatches - before) / count,
    };
  };
  const { ms: firstMs } = await time(1);
  const { ms: once, dispatches } = await time(1);
  const count = Math.max(1, Math.ceil(leastMs / once));
  const samples: number[] = [];
  const jsSamples: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const { ms, jsMs } = await time(count);
    samples.push(ms);
    jsSamples.push(jsMs);
  }
  const medianMs = median(samples);
  return {
    name: benchCase.name,
    firstMs,
    medianMs,
    gflops: benchCase.flops / medianMs / 1e6,
    gigabytesPerSecond: benchCase.bytes / medianMs / 1e6,
    dispatches,
    jsMicrosecondsPerDispatch: (1000 * median(jsSamples)) / dispatches,
  };
}
