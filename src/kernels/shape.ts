import { ShapeError } from '../gpu/errors.ts';

/** Sizes of the axes, outermost first; at most six. */
export type Shape = readonly number[];

/** Dimensions a strided kernel can address after neighbouring ones were merged. */
export const maxRank = 6;

export function numel(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Row-major strides in elements. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  }
  return strides;
}

export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

/** Axis in `[0, rank)` from one that may count from the end. @throws ShapeError if it is out of range. */
export function normalizeAxis(axis: number, rank: number, what: string): number {
  const normalized = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || normalized < 0 || normalized >= Math.max(rank, 1)) {
    throw new ShapeError(`${what}: axis ${axis} is out of range for a tensor with ${rank} dimensions.`);
  }
  return normalized;
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** NumPy broadcasting of several shapes. @throws ShapeError naming `what` if they do not fit. */
export function broadcastShapes(what: string, ...shapes: readonly Shape[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const shape of shapes) {
      const own = shape[axis - (rank - shape.length)] ?? 1;
      if (own === 1) continue;
      if (size !== 1 && size !== own) {
        throw new ShapeError(`${what}: shapes ${shapes.map(formatShape).join(' and ')} cannot be broadcast together.`);
      }
      size = own;
    }
    return size;
  });
}

/** Strides of a view of `shape` that repeats it along the axes of `target`. */
export function broadcastStrides(shape: Shape, strides: readonly number[], target: Shape): number[] {
  const shift = target.length - shape.length;
  return target.map((size, axis) => {
    const own = shape[axis - shift] ?? 1;
    return own === 1 && size !== 1 ? 0 : axis < shift ? 0 : (strides[axis - shift] ?? 0);
  });
}

/** Axes along which `shape` was repeated to become `target`: those to sum over in the gradient. */
export function broadcastAxes(shape: Shape, target: Shape): number[] {
  const shift = target.length - shape.length;
  return target.flatMap((size, axis) =>
    axis < shift || ((shape[axis - shift] ?? 1) === 1 && size !== 1) ? [axis] : [],
  );
}

/**
 * Merges neighbouring axes that every operand walks in step, so that most broadcasts need one or two loops.
 * @returns the merged shape and the strides of each operand.
 */
export function mergeAxes(shape: Shape, operands: readonly (readonly number[])[]): [number[], number[][]] {
  const merged: number[] = [];
  const strides: number[][] = operands.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const size = shape[axis] ?? 1;
    if (size === 1) continue;
    const last = merged.length - 1;
    const joins = last >= 0 && operands.every((own, i) => (strides[i]?.[last] ?? 0) === (own[axis] ?? 0) * size);
    if (joins) {
      merged[last] = (merged[last] ?? 1) * size;
      for (const [i, own] of operands.entries()) (strides[i] ?? [])[last] = own[axis] ?? 0;
    } else {
      merged.push(size);
      for (const [i, own] of operands.entries()) strides[i]?.push(own[axis] ?? 0);
    }
  }
  return [merged, strides];
}
