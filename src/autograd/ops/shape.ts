import { expand as expandArray, permute as permuteArray, reshape as reshapeArray } from '../../kernels/copy.ts';
import { sumTo } from '../../kernels/reduce.ts';
import type { Shape } from '../../kernels/shape.ts';
import { normalizeAxis } from '../../kernels/shape.ts';
import type { PadAmount, SliceRange } from '../../kernels/slice.ts';
import {
  cat as catArrays,
  pad as padArray,
  slice as sliceArray,
  sliceGrad,
  split,
  unpad,
} from '../../kernels/slice.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * The same elements in row-major order with another shape; one size may be -1.
 * @throws ShapeError if the number of elements differs.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  return record('reshape', [x], reshapeArray(x.array, shape), (dy) => [reshapeArray(dy, x.shape)]);
}

/** Axes in another order: axis i of the result is axis `dims[i]` of `x`. @throws ShapeError if `dims` is no permutation. */
export function permute(x: Tensor, dims: readonly number[]): Tensor {
  const inverse = [...dims.keys()];
  for (const [axis, dim] of dims.entries()) inverse[dim < 0 ? dim + x.rank : dim] = axis;
  return record('permute', [x], permuteArray(x.array, dims), (dy) => [permuteArray(dy, inverse)]);
}

/** Repeats `x` along axes of size 1 and new leading axes, without copying; -1 keeps a size. */
export function expand(x: Tensor, shape: Shape): Tensor {
  return record('expand', [x], expandArray(x.array, shape), (dy) => [sumTo(dy, x.shape)]);
}

/**
 * Part of `x`, one `[start, stop, step]` per axis as in Python: negative bounds count from the end, bounds beyond the
 * ends are clamped, the step may be negative and is 1 if left out; axes without a range are kept.
 */
export function slice(x: Tensor, ranges: readonly SliceRange[]): Tensor {
  return record('slice', [x], sliceArray(x.array, ranges), (dy) => [sliceGrad(dy, x.shape, ranges)]);
}

/** Joins tensors along an axis. @throws ShapeError if their other sizes differ. */
export function cat(xs: readonly Tensor[], axis: number): Tensor {
  const y = catArrays(
    xs.map((x) => x.array),
    axis,
  );
  const along = normalizeAxis(axis, y.rank, 'cat');
  const sizes = xs.map((x) => x.shape[along] ?? 0);
  return record('cat', xs, y, (dy) => split(dy, along, sizes));
}

/** Joins tensors of one shape along a new axis. @throws ShapeError if their shapes differ. */
export function stack(xs: readonly Tensor[], axis: number): Tensor {
  const rank = (xs[0]?.rank ?? 0) + 1;
  const along = normalizeAxis(axis, rank, 'stack');
  return cat(
    xs.map((x) => reshape(x, [...x.shape.slice(0, along), 1, ...x.shape.slice(along)])),
    along,
  );
}

/** Adds elements of `value` around `x`: `amounts[axis]` before and after; the gradient ignores them. */
export function pad(x: Tensor, amounts: readonly PadAmount[], value = 0): Tensor {
  return record('pad', [x], padArray(x.array, amounts, value), (dy) => [unpad(dy, x.shape, amounts)]);
}
