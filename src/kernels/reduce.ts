import { ShapeError } from '../gpu/errors.ts';
import { contiguous, permute, reshape } from './copy.ts';
import { requireFloat } from './dtype.ts';
import { fill } from './fill.ts';
import type { ResultTarget } from './ndarray.ts';
import { NDArray } from './ndarray.ts';
import type { ReduceOp, RowLayout } from './reduceRows.ts';
import { reduceRows } from './reduceRows.ts';
import type { Shape } from './shape.ts';
import { broadcastAxes, formatShape, normalizeAxis, numel } from './shape.ts';

/** Sorted axes without repetition; `null` means all of them. @throws ShapeError for an axis out of range. */
export function reducedAxes(x: NDArray, axes: readonly number[] | null, what: string): number[] {
  if (axes === null) return [...x.shape.keys()];
  return [...new Set(axes.map((axis) => normalizeAxis(axis, x.rank, what)))].sort((a, b) => a - b);
}

/** Shape that is left after a reduction over sorted axes. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): number[] {
  return shape.flatMap((size, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [size]));
}

export interface Rows {
  /** Dense, with the axes of `x` in `order`. */
  readonly source: NDArray;
  readonly layout: RowLayout;
  readonly order: readonly number[];
}

/**
 * `x` as dense `[outer, length, inner]`, where `length` is made of the sorted `axes`; axes apart are moved to the end.
 * @throws ShapeError if there is nothing to reduce over but results are wanted.
 */
export function rowsOf(x: NDArray, axes: readonly number[], what: string): Rows {
  const first = axes[0] ?? x.rank;
  const adjacent = axes.every((axis, i) => axis === first + i);
  const kept = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const order = adjacent ? [...x.shape.keys()] : [...kept, ...axes];
  const source = contiguous(adjacent ? x : permute(x, order));
  const length = numel(axes.map((axis) => x.shape[axis] ?? 1));
  const outer = numel(adjacent ? x.shape.slice(0, first) : kept.map((axis) => x.shape[axis] ?? 1));
  const inner = adjacent ? numel(x.shape.slice(first + axes.length)) : 1;
  if (length === 0 && outer * inner > 0) {
    throw new ShapeError(`${what}: ${formatShape(x.shape)} has no elements along the axes [${axes.join(', ')}].`);
  }
  return { source, layout: { outer, length, inner }, order };
}

/**
 * Sum, mean, maximum or log-sum-exp over `axes` (null = all), in f32, also of f16.
 * @returns an array without those axes, or with size 1 there if `keepDims`.
 * @throws ShapeError for axes out of range, or without elements where the operation has no neutral one.
 */
export function reduce(op: ReduceOp, x: NDArray, axes: readonly number[] | null, keepDims = false): NDArray {
  requireFloat(op, x);
  const reduced = reducedAxes(x, axes, op);
  const shape = reducedShape(x.shape, reduced, keepDims);
  if (op === 'sum' && x.size === 0) return fill(x.gpu, shape, 0);
  const { source, layout } = rowsOf(x, reduced, op);
  const y = NDArray.empty(x.gpu, shape);
  if (y.size > 0) reduceRows(op, source, y, layout);
  return y;
}

/**
 * Sums over all axes but the last: the gradient of a bias `[channels]`, in f32. In `target` unless that would be added to.
 */
export function sumRows(x: NDArray, target?: ResultTarget): NDArray {
  requireFloat('sum', x);
  const inner = x.shape.at(-1) ?? 1;
  if (x.size === 0) return fill(x.gpu, [inner], 0);
  const y = target && !target.accumulate ? target.array : NDArray.empty(x.gpu, [inner]);
  reduceRows('sum', contiguous(x), y, { outer: 1, length: x.size / inner, inner });
  return y;
}

/** Sums over the axes along which `shape` was broadcast to become `x.shape`: the gradient of broadcasting. */
export function sumTo(x: NDArray, shape: Shape): NDArray {
  const axes = broadcastAxes(shape, x.shape);
  return axes.length === 0 ? x : reshape(reduce('sum', x, axes), shape);
}
