import { contiguous, permute, reshape } from './copy.ts';
import { NDArray } from './ndarray.ts';
import type { ReduceOp } from './reduceRows.ts';
import { reduceRows } from './reduceRows.ts';
import type { Shape } from './shape.ts';
import { broadcastAxes, normalizeAxis, numel } from './shape.ts';

/** Sorted axes without repetition; `null` means all of them. @throws ShapeError for an axis out of range. */
export function reducedAxes(x: NDArray, axes: readonly number[] | null, what: string): number[] {
  if (axes === null) return [...x.shape.keys()];
  return [...new Set(axes.map((axis) => normalizeAxis(axis, x.rank, what)))].sort((a, b) => a - b);
}

/** Shape that is left after a reduction over sorted axes. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): number[] {
  return shape.flatMap((size, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [size]));
}

/**
 * Sum, mean, maximum or log-sum-exp over `axes` (null = all).
 * @returns an array without those axes, or with size 1 there if `keepDims`.
 */
export function reduce(op: ReduceOp, x: NDArray, axes: readonly number[] | null, keepDims = false): NDArray {
  const reduced = reducedAxes(x, axes, op);
  const y = NDArray.empty(x.gpu, reducedShape(x.shape, reduced, keepDims));
  const first = reduced[0] ?? x.rank;
  const adjacent = reduced.every((axis, i) => axis === first + i);
  const kept = [...x.shape.keys()].filter((axis) => !reduced.includes(axis));
  // Scattered axes are moved to the end, where they form one.
  const source = contiguous(adjacent ? x : permute(x, [...kept, ...reduced]));
  const length = numel(reduced.map((axis) => x.shape[axis] ?? 1));
  const outer = adjacent ? numel(x.shape.slice(0, first)) : numel(kept.map((axis) => x.shape[axis] ?? 1));
  const inner = adjacent ? numel(x.shape.slice(first + reduced.length)) : 1;
  if (y.size > 0) reduceRows(op, source, y, { outer, length, inner });
  return y;
}

/** Sums over the axes along which `shape` was broadcast to become `x.shape`: the gradient of broadcasting. */
export function sumTo(x: NDArray, shape: Shape): NDArray {
  const axes = broadcastAxes(shape, x.shape);
  return axes.length === 0 ? x : reshape(reduce('sum', x, axes), shape);
}
