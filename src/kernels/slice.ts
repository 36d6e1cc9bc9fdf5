import { ShapeError } from '../gpu/errors.ts';
import { copyInto } from './copy.ts';
import { fill } from './fill.ts';
import { NDArray } from './ndarray.ts';
import type { Shape } from './shape.ts';
import { formatShape, normalizeAxis } from './shape.ts';

/** `[start, stop, step]` of one axis, as in Python's `start:stop:step`; the step is 1 if left out. */
export type SliceRange = readonly [start: number, stop: number, step?: number];
/** Elements added before and after one axis. */
export type PadAmount = readonly [before: number, after: number];

interface ResolvedRange {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** Python's rule: negative bounds count from the end, bounds beyond the ends are clamped. */
function resolve([start, stop, step = 1]: SliceRange, size: number): ResolvedRange {
  if (![start, stop, step].every(Number.isInteger) || step === 0) {
    throw new ShapeError(`slice: [${start}, ${stop}, ${step}] is not a range of integers with a step other than 0.`);
  }
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const bound = (value: number): number => Math.min(high, Math.max(low, value < 0 ? value + size : value));
  const first = bound(start);
  return { start: first, step, length: Math.max(0, Math.ceil((bound(stop) - first) / step)) };
}

/**
 * View of a part of `x`: one range per axis, missing ranges keep the whole axis.
 * @throws ShapeError for more ranges than axes, a step of 0 or bounds that are not integers.
 */
export function slice(x: NDArray, ranges: readonly SliceRange[]): NDArray {
  if (ranges.length > x.rank) {
    throw new ShapeError(`slice: ${ranges.length} ranges for a tensor of shape ${formatShape(x.shape)}.`);
  }
  const resolved = x.shape.map((size, axis) => resolve(ranges[axis] ?? [0, size, 1], size));
  const shape = resolved.map(({ length }) => length);
  const empty = shape.includes(0);
  return x.view(
    shape,
    resolved.map(({ step }, axis) => step * (x.strides[axis] ?? 0)),
    empty ? x.offset : resolved.reduce((offset, { start }, axis) => offset + start * (x.strides[axis] ?? 0), x.offset),
  );
}

/** Array of `shape` that is zero outside the slice and holds `dy` inside: the gradient of `slice`. */
export function sliceGrad(dy: NDArray, shape: Shape, ranges: readonly SliceRange[]): NDArray {
  const dx = fill(dy.gpu, shape, 0, dy.dtype);
  copyInto(dy, slice(dx, ranges));
  return dx;
}

/** The part of a padded array that holds the original of `shape`. */
export function unpad(y: NDArray, shape: Shape, amounts: readonly PadAmount[]): NDArray {
  return slice(
    y,
    shape.map((size, axis) => {
      const before = amounts[axis]?.[0] ?? 0;
      return [before, before + size];
    }),
  );
}

/**
 * Adds elements of one value around `x`; `amounts[axis]` are those before and after, axes left out stay as they are.
 * @throws ShapeError for negative amounts or more amounts than axes.
 */
export function pad(x: NDArray, amounts: readonly PadAmount[], value: number): NDArray {
  if (amounts.length > x.rank || !amounts.flat().every((n) => Number.isInteger(n) && n >= 0)) {
    throw new ShapeError(
      `pad: [${amounts.map((pair) => `[${pair.join(', ')}]`).join(', ')}] does not fit a tensor of shape ` +
        `${formatShape(x.shape)}; give at most one pair of amounts >= 0 per axis.`,
    );
  }
  const shape = x.shape.map((size, axis) => size + (amounts[axis]?.[0] ?? 0) + (amounts[axis]?.[1] ?? 0));
  const y = fill(x.gpu, shape, value, x.dtype);
  copyInto(x, unpad(y, x.shape, amounts));
  return y;
}

/** The ranges along `axis` that the parts of a concatenation occupy. */
function partRanges(rank: number, axis: number, sizes: readonly number[]): SliceRange[][] {
  let start = 0;
  return sizes.map((size) => {
    const range: SliceRange = [start, start + size];
    start += size;
    return Array.from({ length: rank }, (_, i) => (i === axis ? range : [0, Number.MAX_SAFE_INTEGER]));
  });
}

/**
 * Joins arrays along an axis.
 * @throws ShapeError if there are none, or if their other sizes or their dtypes differ.
 */
export function cat(parts: readonly NDArray[], axis: number): NDArray {
  const [first] = parts;
  if (!first) throw new ShapeError('cat needs at least one tensor.');
  const along = normalizeAxis(axis, first.rank, 'cat');
  for (const part of parts) {
    const fits =
      part.rank === first.rank &&
      part.dtype === first.dtype &&
      part.shape.every((size, i) => i === along || size === first.shape[i]);
    if (!fits) {
      throw new ShapeError(
        `cat: ${part.dtype} ${formatShape(part.shape)} and ${first.dtype} ${formatShape(first.shape)} ` +
          `differ in more than axis ${along}.`,
      );
    }
  }
  const sizes = parts.map((part) => part.shape[along] ?? 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const y = NDArray.empty(
    first.gpu,
    first.shape.map((size, i) => (i === along ? total : size)),
    first.dtype,
  );
  for (const [i, ranges] of partRanges(first.rank, along, sizes).entries()) {
    const part = parts[i];
    if (part && part.size > 0) copyInto(part, slice(y, ranges));
  }
  return y;
}

/** Views of the parts that `cat` joined, whose sizes along `axis` are `sizes`. */
export function split(y: NDArray, axis: number, sizes: readonly number[]): NDArray[] {
  const along = normalizeAxis(axis, y.rank, 'split');
  return partRanges(y.rank, along, sizes).map((ranges) => slice(y, ranges));
}
