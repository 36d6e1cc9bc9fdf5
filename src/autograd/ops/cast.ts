import { cast as castArray } from '../../kernels/cast.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * The same values as f16 or f32; the gradient is cast back to the dtype of `x`. Returns `x` itself if it has that dtype.
 * @throws ShapeError if `x` is not of floats; GpuError if the device has no f16.
 */
export function cast(x: Tensor, dtype: 'f16' | 'f32'): Tensor {
  if (x.dtype === dtype) return x;
  const own = x.dtype === 'f16' ? 'f16' : 'f32';
  return record('cast', [x], castArray(x.array, dtype), (dy) => [castArray(dy, own)]);
}
