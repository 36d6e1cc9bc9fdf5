import { contiguous } from './copy.ts';
import { defineKernel } from './define.ts';
import { NDArray } from './ndarray.ts';
import type { RowLayout } from './reduceRows.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import { normalizeAxis, numel } from './shape.ts';

/** In the order of the constants in `softmax.wgsl` and `softmaxGrad.wgsl`. */
const softmaxOps = ['softmax', 'logSoftmax'] as const;
export type SoftmaxOp = (typeof softmaxOps)[number];

const params = { outer: 'u32', length: 'u32', inner: 'u32' } as const;

const softmaxKernel = defineKernel({
  name: 'softmax',
  shader: 'softmax',
  params,
  bindings: ['read', 'write'],
  variants: rowVariants(softmaxOps),
  dispatch: ({ outer, inner }, constants) => rowGrid(outer * inner, constants),
  cost: ({ outer, length, inner }) => ({ flops: 4 * outer * length * inner, bytes: 8 * outer * length * inner }),
});

const softmaxGradKernel = defineKernel({
  name: 'softmaxGrad',
  shader: 'softmaxGrad',
  params,
  bindings: ['read', 'read', 'write'],
  variants: rowVariants(softmaxOps),
  dispatch: ({ outer, inner }, constants) => rowGrid(outer * inner, constants),
  cost: ({ outer, length, inner }) => ({ flops: 4 * outer * length * inner, bytes: 12 * outer * length * inner }),
});

/** `x` seen as `[outer, length, inner]` around `axis`. */
export function axisLayout(x: NDArray, axis: number, what: string): RowLayout {
  const along = normalizeAxis(axis, x.rank, what);
  return {
    outer: numel(x.shape.slice(0, along)),
    length: x.shape[along] ?? 1,
    inner: numel(x.shape.slice(along + 1)),
  };
}

/** Softmax or its logarithm along `axis`; entries of -inf or -1e30 get the probability 0. */
export function softmax(op: SoftmaxOp, x: NDArray, axis: number): NDArray {
  const layout = axisLayout(x, axis, op);
  const y = NDArray.empty(x.gpu, x.shape);
  if (x.size > 0) softmaxKernel.run(x.gpu, `${op}-${chooseRowForm(x.gpu, layout.length)}`, [contiguous(x), y], layout);
  return y;
}

/** Gradient of `softmax` from its result `y`. */
export function softmaxGrad(op: SoftmaxOp, y: NDArray, dy: NDArray, axis: number): NDArray {
  const layout = axisLayout(y, axis, op);
  const dx = NDArray.empty(y.gpu, y.shape);
  if (y.size > 0) {
    const variant = `${op}-${chooseRowForm(y.gpu, layout.length)}` as const;
    softmaxGradKernel.run(y.gpu, variant, [y, contiguous(dy), dx], layout);
  }
  return dx;
}
