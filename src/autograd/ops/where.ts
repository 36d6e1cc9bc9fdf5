import { fill } from '../../kernels/fill.ts';
import { sumTo } from '../../kernels/reduce.ts';
import { where as whereArrays } from '../../kernels/where.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * `condition != 0 ? a : b` element by element, all three broadcast; `condition` is i32, u32 or bool.
 * @throws ShapeError if the shapes do not fit or the condition is f32.
 */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  const y = whereArrays(condition.array, a.array, b.array);
  return record('where', [a, b], y, (dy, [needA, needB]) => {
    const zero = fill(dy.gpu, [], 0);
    return [
      needA ? sumTo(whereArrays(condition.array, dy, zero), a.shape) : undefined,
      needB ? sumTo(whereArrays(condition.array, zero, dy), b.shape) : undefined,
    ];
  });
}
