import type { SoftmaxOp } from '../../kernels/softmax.ts';
import { softmax as softmaxArray, softmaxGrad } from '../../kernels/softmax.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

function along(op: SoftmaxOp, x: Tensor, axis: number): Tensor {
  const y = softmaxArray(op, x.array, axis);
  return record(op, [x], y, (dy) => [softmaxGrad(op, y, dy, axis)]);
}

/** `exp(x) / sum(exp(x))` along `axis`, shifted by the maximum. Mask entries with -1e30 (or -inf): they become 0. */
export const softmax = (x: Tensor, axis = -1): Tensor => along('softmax', x, axis);

/** `x - logSumExp(x)` along `axis`. */
export const logSoftmax = (x: Tensor, axis = -1): Tensor => along('logSoftmax', x, axis);
