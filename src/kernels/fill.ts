import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel, grid1d } from './define.ts';
import type { DType } from './dtype.ts';
import { elementWidth, elementwiseVariants, elementwiseWorkgroup } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import type { Shape } from './shape.ts';

const fillKernel = defineKernel({
  name: 'fill',
  shader: 'fill',
  params: { count: 'u32', bits: 'u32' },
  bindings: ['write'],
  variants: elementwiseVariants(['fill']),
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 0, bytes: 4 * count }),
});

const scratch = new DataView(new ArrayBuffer(4));

function bitsOf(value: number, dtype: DType): number {
  if (dtype === 'f32') scratch.setFloat32(0, value);
  else if (dtype === 'i32') scratch.setInt32(0, value);
  else scratch.setUint32(0, value);
  return scratch.getUint32(0);
}

/** Sets every element of a dense array. */
export function fillInto(target: NDArray, value: number): void {
  if (target.size === 0) return;
  const { width, count } = elementWidth(target.size);
  fillKernel.run(target.gpu, `fill-${width}`, [target], { count, bits: bitsOf(value, target.dtype) });
}

/** A new array with the same value everywhere. */
export function fill(gpu: Gpu, shape: Shape, value: number, dtype: DType = 'f32'): NDArray {
  const target = NDArray.empty(gpu, shape, dtype);
  fillInto(target, value);
  return target;
}
