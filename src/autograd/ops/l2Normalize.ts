import { contiguous } from '../../kernels/copy.ts';
import { l2NormalizeGrad, l2Normalize as normalizeArray } from '../../kernels/l2Normalize.ts';
import { axisLayout } from '../../kernels/reduceRows.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * `x / max(|x|, eps)` with the Euclidean norm along `axis`; a zero vector stays zero.
 * Where the norm is at most `eps` the gradient is `dy / eps`.
 * @throws ShapeError if the axis is out of range.
 */
export function l2Normalize(x: Tensor, axis = -1, eps = 1e-12): Tensor {
  const layout = axisLayout(x.shape, axis, 'l2Normalize');
  const input = contiguous(x.array);
  return record('l2Normalize', [x], normalizeArray(input, layout, eps), (dy) => [
    l2NormalizeGrad(input, contiguous(dy), layout, eps),
  ]);
}
