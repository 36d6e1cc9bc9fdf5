import { argmaxRows } from './argmax.ts';
import { contiguous, permute, reshape } from './copy.ts';
import { defineKernel, grid1d } from './define.ts';
import { elementwiseWorkgroup, scalarVariants } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import { rowsOf } from './reduce.ts';
import * as wgsl from './shaders.gen.ts';

/** In the order of the constants in `reduceGrad.wgsl`. */
const gradOps = ['max', 'logSumExp'] as const;

const reduceGradKernel = defineKernel({
  name: 'reduceGrad',
  shader: wgsl.reduceGrad,
  params: { count: 'u32', length: 'u32', inner: 'u32' },
  bindings: ['read', 'read', 'read', 'write'],
  variants: scalarVariants(gradOps),
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 2 * count, bytes: 8 * count }),
});

/**
 * Gradient of the maximum (it goes to the first one in row-major order) or of log-sum-exp over sorted `axes`.
 * `y` is the result and `dy` its gradient; size-1 axes may be left out of both.
 */
export function reduceGrad(
  op: (typeof gradOps)[number],
  x: NDArray,
  y: NDArray,
  dy: NDArray,
  axes: readonly number[],
): NDArray {
  const { source, layout, order } = rowsOf(x, axes, op);
  const { outer, length, inner } = layout;
  const dx = NDArray.empty(x.gpu, source.shape);
  if (dx.size === 0) return reshape(dx, x.shape);
  let result = y;
  if (op === 'max') {
    result = NDArray.empty(x.gpu, [outer, inner], 'i32');
    argmaxRows(source, result, layout);
  }
  const arrays = [source, contiguous(result), contiguous(dy), dx];
  reduceGradKernel.run(x.gpu, op, arrays, { count: dx.size, length, inner });
  const inverse = [...order.keys()];
  for (const [axis, from] of order.entries()) inverse[from] = axis;
  return permute(dx, inverse);
}
