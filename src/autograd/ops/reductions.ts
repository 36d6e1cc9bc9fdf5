import { argmax as argmaxArray } from '../../kernels/argmax.ts';
import { expand, reshape } from '../../kernels/copy.ts';
import type { NDArray } from '../../kernels/ndarray.ts';
import { reduce, reducedAxes, reducedShape } from '../../kernels/reduce.ts';
import { reduceGrad } from '../../kernels/reduceGrad.ts';
import { unary } from '../../kernels/unary.ts';
import { record } from '../tape.ts';
import { Tensor } from '../tensor.ts';

/** Axes to reduce over, which may count from the end; null means all of them. */
export type Axes = readonly number[] | null;

/** Gradient of a sum: `dy` repeated along the reduced axes, as a view. */
function repeat(dy: NDArray, x: Tensor, axes: readonly number[]): NDArray {
  return expand(reshape(dy, reducedShape(x.shape, axes, true)), x.shape);
}

/** Sum over `axes`; 0 where there is nothing to add. */
export function sum(x: Tensor, axes: Axes, keepDims = false): Tensor {
  const reduced = reducedAxes(x.array, axes, 'sum');
  return record('sum', [x], reduce('sum', x.array, reduced, keepDims), (dy) => [repeat(dy, x, reduced)]);
}

/** Arithmetic mean over `axes`. @throws ShapeError if there are no elements. */
export function mean(x: Tensor, axes: Axes, keepDims = false): Tensor {
  const reduced = reducedAxes(x.array, axes, 'mean');
  const count = reduced.reduce((product, axis) => product * (x.shape[axis] ?? 1), 1);
  return record('mean', [x], reduce('mean', x.array, reduced, keepDims), (dy) => [
    repeat(unary('scale', dy, { low: 1 / count, high: 0 }), x, reduced),
  ]);
}

/**
 * Largest element over `axes`; at ties the first in row-major order gets the gradient.
 * @throws ShapeError if there are no elements.
 */
export function max(x: Tensor, axes: Axes, keepDims = false): Tensor {
  const reduced = reducedAxes(x.array, axes, 'max');
  const y = reduce('max', x.array, reduced, keepDims);
  return record('max', [x], y, (dy) => [reduceGrad('max', x.array, y, dy, reduced)]);
}

/** `log(sum(exp(x)))` over `axes`, shifted by the maximum. @throws ShapeError if there are no elements. */
export function logSumExp(x: Tensor, axes: Axes, keepDims = false): Tensor {
  const reduced = reducedAxes(x.array, axes, 'logSumExp');
  const y = reduce('logSumExp', x.array, reduced, keepDims);
  return record('logSumExp', [x], y, (dy) => [reduceGrad('logSumExp', x.array, y, dy, reduced)]);
}

/**
 * Position of the largest element along `axis`, or in row-major order over all axes if it is null; the first at ties.
 * @returns i32, without a gradient.
 */
export function argmax(x: Tensor, axis: number | null, keepDims = false): Tensor {
  return new Tensor(argmaxArray(x.array, axis, keepDims));
}
