import { contiguous } from './copy.ts';
import { defineKernel, grid1d } from './define.ts';
import { requireFloat } from './dtype.ts';
import { elementWidth, elementwiseVariants, elementwiseWorkgroup } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';

/** In the order of the constants in `unary.wgsl`. `scale` is `low * x + high`. */
const unaryOps = [
  'neg',
  'exp',
  'log',
  'sqrt',
  'rsqrt',
  'tanh',
  'gelu',
  'relu',
  'sigmoid',
  'abs',
  'clamp',
  'square',
  'reciprocal',
  'erf',
  'scale',
] as const;
export type UnaryOp = (typeof unaryOps)[number];

const params = { count: 'u32', low: 'f32', high: 'f32' } as const;

const unaryKernel = defineKernel({
  name: 'unary',
  shader: wgsl.unary,
  params,
  bindings: ['read', 'write'],
  typed: [0, 1],
  variants: elementwiseVariants(unaryOps, [wgsl.libMath]),
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: count, bytes: 8 * count }),
});

const unaryGradKernel = defineKernel({
  name: 'unaryGrad',
  shader: wgsl.unaryGrad,
  params,
  bindings: ['read', 'read', 'write'],
  typed: [0, 1, 2],
  variants: elementwiseVariants(unaryOps, [wgsl.libMath]),
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 2 * count, bytes: 12 * count }),
});

/** The two constants of `clamp` (bounds) and `scale` (factor, summand). */
export interface UnaryConstants {
  readonly low: number;
  readonly high: number;
}

const none: UnaryConstants = { low: 0, high: 0 };

/** `f(x)` element by element. */
export function unary(op: UnaryOp, x: NDArray, constants: UnaryConstants = none): NDArray {
  requireFloat(op, x);
  const y = NDArray.empty(x.gpu, x.shape, x.dtype);
  const { width, count } = elementWidth(x.size);
  if (count > 0) unaryKernel.run(x.gpu, `${op}-${width}`, [contiguous(x), y], { count, ...constants });
  return y;
}

/** `dy * f'(x)`. */
export function unaryGrad(op: UnaryOp, x: NDArray, dy: NDArray, constants: UnaryConstants = none): NDArray {
  const dx = NDArray.empty(x.gpu, x.shape, x.dtype);
  const { width, count } = elementWidth(x.size);
  if (count > 0) {
    unaryGradKernel.run(x.gpu, `${op}-${width}`, [contiguous(x), contiguous(dy), dx], { count, ...constants });
  }
  return dx;
}
