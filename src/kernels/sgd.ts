import { defineKernel, grid1d } from './define.ts';
import { elementwiseWorkgroup } from './elementwise.ts';
import type { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';

const sgdKernel = defineKernel({
  name: 'sgd',
  shader: wgsl.sgd,
  params: { count: 'u32' },
  bindings: ['read', 'read', 'read', 'write', 'write'],
  variants: { plain: { constants: { WORKGROUP_SIZE: elementwiseWorkgroup }, libraries: [wgsl.libGrid] } },
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 28 * count, bytes: 80 * count }),
});

/** Flat arrays of one segment; their size is a multiple of four. */
export interface SgdArrays {
  readonly values: NDArray;
  readonly grads: NDArray;
  readonly velocities: NDArray;
}

/** Updates values and velocities in place. `hyper` is described in `sgd.wgsl`, `clip` is a `gradNorm` result. */
export function sgdStep({ values, grads, velocities }: SgdArrays, hyper: NDArray, clip: NDArray): void {
  sgdKernel.run(values.gpu, 'plain', [hyper, clip, grads, values, velocities], { count: values.size / 4 });
}
