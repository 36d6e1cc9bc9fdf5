import { ShapeError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel, grid1d } from './define.ts';
import type { DType } from './dtype.ts';
import { elementBytes, toTypedArray } from './dtype.ts';
import { elementWidth, elementwiseVariants, elementwiseWorkgroup } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';
import type { Shape } from './shape.ts';

const fillKernel = defineKernel({
  name: 'fill',
  shader: wgsl.fill,
  params: { count: 'u32', bits: 'u32' },
  bindings: ['write'],
  // Words are written, whatever they hold.
  typed: [0],
  variants: elementwiseVariants(['fill']),
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 0, bytes: 4 * count }),
});

/** The word that repeats a value. */
function bitsOf(value: number, dtype: DType): number {
  const { buffer } = toTypedArray(dtype, new Array<number>(4 / elementBytes(dtype)).fill(value));
  return new Uint32Array(buffer)[0] ?? 0;
}

/** Sets every element of a dense array. @throws ShapeError for an odd number of f16 in an array that others share. */
export function fillInto(target: NDArray, value: number): void {
  if (target.size === 0) return;
  const words = (target.size * elementBytes(target.dtype)) / 4;
  if (!Number.isInteger(words) && target.isShared) {
    throw new ShapeError(`fill: ${target.size} f16 of a shared array do not fill whole words.`);
  }
  const { width, count } = elementWidth(Math.ceil(words));
  fillKernel.run(target.gpu, `fill-${width}`, [target], { count, bits: bitsOf(value, target.dtype) });
}

/** A new array with the same value everywhere. */
export function fill(gpu: Gpu, shape: Shape, value: number, dtype: DType = 'f32'): NDArray {
  const target = NDArray.empty(gpu, shape, dtype);
  fillInto(target, value);
  return target;
}
