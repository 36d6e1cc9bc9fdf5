import type { DropoutOptions } from '../../kernels/dropout.ts';
import { dropout as dropoutArray } from '../../kernels/dropout.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Inverted dropout (Srivastava et al., JMLR 2014): elements become 0 with probability `p`, others grow by `1 / (1 - p)`.
 * The mask is a function of the seed and the element's position, and is computed again in the backward pass.
 * Returns `x` itself for p = 0. @throws RangeError unless `0 <= p < 1`.
 */
export function dropout(x: Tensor, options: DropoutOptions): Tensor {
  if (options.p === 0) return x;
  return record('dropout', [x], dropoutArray(x.array, options), (dy) => [dropoutArray(dy, options)]);
}
