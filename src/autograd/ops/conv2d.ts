import { conv2d as conv2dArrays, conv2dInputGrad, conv2dWeightGrad } from '../../kernels/conv2d.ts';
import { type Conv2dOptions, conv2dGeometry } from '../../kernels/convGeometry.ts';
import { sumRows } from '../../kernels/reduce.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Cross-correlation with zero padding: `x [N, H, W, C]`, `w [O, KH, KW, C / groups]`, `bias [O]` to `[N, OH, OW, O]`.
 * @throws ShapeError if the channels do not fit, or the kernel is larger than the padded input.
 */
export function conv2d(x: Tensor, w: Tensor, bias?: Tensor, options: Conv2dOptions = {}): Tensor {
  const geometry = conv2dGeometry(x.array, w.array, options);
  const y = conv2dArrays(x.array, w.array, bias?.array, geometry);
  return record('conv2d', bias ? [x, w, bias] : [x, w], y, (dy, [needX, needW, needBias], [intoX, intoW, intoBias]) => [
    needX ? conv2dInputGrad(dy, w.array, geometry, intoX) : undefined,
    needW ? conv2dWeightGrad(x.array, dy, geometry, intoW) : undefined,
    needBias ? sumRows(dy, intoBias) : undefined,
  ]);
}
