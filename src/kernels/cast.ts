import { GpuError } from '../gpu/errors.ts';
import { contiguous } from './copy.ts';
import { defineKernel, grid1d } from './define.ts';
import { requireFloat } from './dtype.ts';
import { elementWidth, elementwiseVariants, elementwiseWorkgroup } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';

const castKernel = defineKernel({
  name: 'cast',
  shader: wgsl.cast,
  params: { count: 'u32' },
  bindings: ['read', 'write'],
  typed: [0, 1],
  variants: elementwiseVariants(['cast']),
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 0, bytes: 8 * count }),
});

/**
 * The values of `x` as `dtype`, rounded to nearest; `x` itself if it has that dtype. Beyond 65,504 f16 is infinite.
 * @throws ShapeError if `x` is not of floats; GpuError if the device has no f16.
 */
export function cast(x: NDArray, dtype: 'f16' | 'f32'): NDArray {
  requireFloat('cast', x);
  if (x.dtype === dtype) return x;
  if (!x.gpu.device.features.has('shader-f16')) {
    throw new GpuError('cast: this device has no f16 (the WebGPU feature shader-f16); stay with f32.');
  }
  const y = NDArray.empty(x.gpu, x.shape, dtype);
  const { width, count } = elementWidth(x.size);
  if (count > 0) castKernel.run(x.gpu, `cast-${width}`, [contiguous(x), y], { count });
  return y;
}
