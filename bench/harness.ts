import { backward } from '../src/autograd/tape.ts';
import type { Tensor } from '../src/autograd/tensor.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { copyInto, expand } from '../src/kernels/copy.ts';
import { NDArray } from '../src/kernels/ndarray.ts';
import type { Shape } from '../src/kernels/shape.ts';
import { numel } from '../src/kernels/shape.ts';

/** One measured piece of work. */
export interface BenchCase {
  /** Unique; says the shapes. */
  readonly name: string;
  /** Floating point operations and bytes that an ideal implementation moves. */
  readonly flops: number;
  readonly bytes: number;
  /** Makes the inputs; the returned function records the work and is run many times, each time in a scope of its own. */
  readonly prepare: (gpu: Gpu) => () => void;
}

/** What cases are made for. */
export interface Scale {
  /** Images or texts. */
  readonly batch: number;
  /** Without the cases that take a software adapter seconds. */
  readonly small: boolean;
}

/** The cases of an operation, forward and backward; those that do not depend on the batch have the same name for all. */
export type CasesOf = (scale: Scale) => readonly BenchCase[];

/** `count` numbers in [0, 1) from a fixed sequence, so that every run works on the same values. */
function sequence(count: number, seed: number): Float64Array {
  const values = new Float64Array(count);
  let state = seed >>> 0;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = state / 2 ** 32;
  }
  return values;
}

/** Larger arrays repeat their first elements, copied on the GPU: cases are prepared anew in every round. */
const blockSize = 2 ** 16;
const blocks = new Map<number, Float32Array>();

function randomBlock(seed: number): Float32Array {
  const known = blocks.get(seed);
  if (known) return known;
  const block = Float32Array.from(sequence(blockSize, seed), (x) => 2 * x - 1);
  blocks.set(seed, block);
  return block;
}

/** Numbers in [-1, 1). */
export function randomArray(gpu: Gpu, shape: Shape, seed = 1): NDArray {
  const block = randomBlock(seed);
  const size = numel(shape);
  if (size <= blockSize) return NDArray.from(gpu, block.subarray(0, size), shape);
  const array = NDArray.empty(gpu, shape);
  const rows = Math.floor(size / blockSize);
  gpu.scope(() => {
    const source = NDArray.from(gpu, block, [1, blockSize]);
    copyInto(expand(source, [rows, blockSize]), array.view([rows, blockSize], [blockSize, 1]));
    const rest = size - rows * blockSize;
    if (rest > 0) array.view([rest], [1], rows * blockSize).write(block.subarray(0, rest));
  });
  return array;
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
