import { defineKernel } from './define.ts';
import { NDArray } from './ndarray.ts';
import type { RowLayout } from './reduceRows.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';

const params = { outer: 'u32', length: 'u32', inner: 'u32', eps: 'f32' } as const;

/** One or four floats per load. */
const variants = {
  ...rowVariants(['vec4'], [wgsl.libElementVec4, wgsl.libSumVec4]),
  ...rowVariants(['scalar'], [wgsl.libElementScalar, wgsl.libSumScalar]),
};

const normalizeKernel = defineKernel({
  name: 'l2Normalize',
  shader: wgsl.l2Normalize,
  params,
  bindings: ['read', 'write'],
  variants,
  dispatch: ({ outer, inner }, constants) => rowGrid(outer * inner, constants),
  cost: ({ outer, length, inner }) => ({ flops: 3 * outer * length * inner, bytes: 8 * outer * length * inner }),
});

const gradKernel = defineKernel({
  name: 'l2NormalizeGrad',
  shader: wgsl.l2NormalizeGrad,
  params,
  bindings: ['read', 'read', 'write'],
  variants,
  dispatch: ({ outer, inner }, constants) => rowGrid(outer * inner, constants),
  cost: ({ outer, length, inner }) => ({ flops: 7 * outer * length * inner, bytes: 12 * outer * length * inner }),
});

function plan(x: NDArray, { outer, length, inner }: RowLayout) {
  const width = inner === 1 && length % 4 === 0 ? 'vec4' : 'scalar';
  const count = width === 'vec4' ? length / 4 : length;
  const form = chooseRowForm(x.gpu, count, outer * inner);
  return { variant: `${width}-${form}`, sizes: { outer, length: count, inner } } as const;
}

/** `x / max(|x|, eps)` along the middle axis of the dense `x`. */
export function l2Normalize(x: NDArray, layout: RowLayout, eps: number): NDArray {
  const y = NDArray.empty(x.gpu, x.shape);
  const { variant, sizes } = plan(x, layout);
  if (x.size > 0) normalizeKernel.run(x.gpu, variant, [x, y], { ...sizes, eps });
  return y;
}

/** Gradient of the input of `l2Normalize`, dense arrays. */
export function l2NormalizeGrad(x: NDArray, dy: NDArray, layout: RowLayout, eps: number): NDArray {
  const dx = NDArray.empty(x.gpu, x.shape);
  const { variant, sizes } = plan(x, layout);
  if (x.size > 0) gradKernel.run(x.gpu, variant, [x, dy, dx], { ...sizes, eps });
  return dx;
}
