import { contiguous } from './copy.ts';
import { defineKernel, grid1d } from './define.ts';
import { requireFloat } from './dtype.ts';
import { elementwiseWorkgroup } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';

const dropoutKernel = defineKernel({
  name: 'dropout',
  shader: wgsl.dropout,
  params: { count: 'u32', seed: 'u32', threshold: 'u32', scale: 'f32' },
  bindings: ['read', 'write'],
  typed: [0, 1],
  variants: {
    plain: { constants: { WORKGROUP_SIZE: elementwiseWorkgroup }, libraries: [wgsl.libGrid, wgsl.libRandom] },
  },
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 12 * count, bytes: 8 * count }),
});

export interface DropoutOptions {
  /** Probability that an element becomes 0, in [0, 1). */
  readonly p: number;
  /**
   * Chooses the mask; use another one at every call, taken modulo 2^32. A function is asked again whenever the call is
   * replayed by a capture; between forward and backward pass its answer must not change.
   */
  readonly seed: number | (() => number);
}

/** What the shaders need of dropout: elements whose random bits are below `threshold` become 0, others grow by `scale`. */
export interface DropoutParams {
  readonly seed: number;
  readonly threshold: number;
  readonly scale: number;
}

/** @throws RangeError unless `0 <= p < 1`. */
export function dropoutParams({ p, seed }: DropoutOptions): { params: DropoutParams; live?: { seed: () => number } } {
  if (!(p >= 0 && p < 1)) throw new RangeError(`dropout: the probability is ${p}; expected a number in [0, 1).`);
  const threshold = Math.min(0xffffffff, Math.round(p * 2 ** 32));
  const scale = 1 / (1 - p);
  if (typeof seed === 'number') return { params: { seed: seed >>> 0, threshold, scale } };
  return { params: { seed: 0, threshold, scale }, live: { seed: () => seed() >>> 0 } };
}

/** `x` with random elements set to 0 and the others scaled by `1 / (1 - p)`; its own gradient when applied to `dy`. */
export function dropout(x: NDArray, options: DropoutOptions): NDArray {
  requireFloat('dropout', x);
  const { params, live } = dropoutParams(options);
  const y = NDArray.empty(x.gpu, x.shape, x.dtype);
  if (x.size > 0) dropoutKernel.run(x.gpu, 'plain', [contiguous(x), y], { count: x.size, ...params }, live);
  return y;
}
