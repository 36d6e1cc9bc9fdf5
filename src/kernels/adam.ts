import { defineKernel, grid1d } from './define.ts';
import { elementwiseWorkgroup } from './elementwise.ts';
import type { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';

const adamKernel = defineKernel({
  name: 'adam',
  shader: wgsl.adam,
  params: { count: 'u32' },
  bindings: ['read', 'read', 'read', 'write', 'write', 'write'],
  variants: { plain: { constants: { WORKGROUP_SIZE: elementwiseWorkgroup }, libraries: [wgsl.libGrid] } },
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 60 * count, bytes: 112 * count }),
});

/** Flat arrays of one segment; their size is a multiple of four. */
export interface AdamArrays {
  readonly values: NDArray;
  readonly grads: NDArray;
  readonly firstMoments: NDArray;
  readonly secondMoments: NDArray;
}

/** Updates values and moments in place. `hyper` is described in `adam.wgsl`, `clip` is a `gradNorm` result. */
export function adamStep(arrays: AdamArrays, hyper: NDArray, clip: NDArray): void {
  const { values, grads, firstMoments, secondMoments } = arrays;
  const bound = [hyper, clip, grads, values, firstMoments, secondMoments];
  adamKernel.run(values.gpu, 'plain', bound, { count: values.size / 4 });
}
