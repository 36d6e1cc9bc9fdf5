import { ShapeError } from '../gpu/errors.ts';
import { defineKernel, grid1d } from './define.ts';
import { NDArray } from './ndarray.ts';
import type { Shape } from './shape.ts';
import { broadcastStrides, formatShape, isContiguous, maxRank, mergeAxes, numel, sameShape } from './shape.ts';

const copyKernel = defineKernel({
  name: 'copy',
  shader: 'copy',
  params: {
    count: 'u32',
    size1: 'u32',
    size2: 'u32',
    size3: 'u32',
    size4: 'u32',
    size5: 'u32',
    x0: 'u32',
    x1: 'u32',
    x2: 'u32',
    x3: 'u32',
    x4: 'u32',
    x5: 'u32',
    startX: 'u32',
    startY: 'u32',
  },
  bindings: ['read', 'write'],
  variants: { plain: { constants: { WORKGROUP_SIZE: 256 }, libraries: ['lib/grid'] } },
  dispatch: ({ count }) => grid1d(count, 256),
  cost: ({ count }) => ({ flops: 0, bytes: 8 * count }),
});

/** Copies `source`, whatever its strides, into the dense `target` from its element `at` on. */
export function copyInto(source: NDArray, target: NDArray, at = 0): void {
  if (source.size === 0) return;
  const [sizes, [strides = []]] = mergeAxes(source.shape, [source.strides]);
  if (sizes.length > maxRank) {
    throw new ShapeError(
      `A view of shape ${formatShape(source.shape)} has too many separate axes to copy (${maxRank} at most).`,
    );
  }
  const size = (axis: number): number => sizes[axis - (maxRank - sizes.length)] ?? 1;
  const stride = (axis: number): number => (strides[axis - (maxRank - sizes.length)] ?? 0) >>> 0;
  copyKernel.run(source.gpu, 'plain', [source, target], {
    count: source.size,
    size1: size(1),
    size2: size(2),
    size3: size(3),
    size4: size(4),
    size5: size(5),
    x0: stride(0),
    x1: stride(1),
    x2: stride(2),
    x3: stride(3),
    x4: stride(4),
    x5: stride(5),
    // A dense source is bound from its first element on, any other from the start of its buffer.
    startX: source.isDense ? 0 : source.offset,
    startY: at + (target.isDense ? 0 : target.offset),
  });
}

/** A dense copy with a storage of its own. */
export function copy(x: NDArray): NDArray {
  const dense = NDArray.empty(x.gpu, x.shape, x.dtype);
  copyInto(x, dense);
  return dense;
}

/** `x` itself if it is dense, else a dense copy. */
export function contiguous(x: NDArray): NDArray {
  return x.isDense ? x : copy(x);
}

/** View with another shape; copies only when the strides do not allow it. One size may be -1. */
export function reshape(x: NDArray, shape: Shape): NDArray {
  const known = numel(shape.filter((size) => size !== -1));
  const resolved = shape.map((size) => (size === -1 ? x.size / Math.max(1, known) : size));
  if (
    shape.filter((size) => size === -1).length > 1 ||
    numel(resolved) !== x.size ||
    !resolved.every(Number.isInteger)
  ) {
    throw new ShapeError(`reshape: ${formatShape(x.shape)} does not have the elements for ${formatShape(shape)}.`);
  }
  const source = isContiguous(x.shape, x.strides) ? x : copy(x);
  let stride = 1;
  const strides = resolved.toReversed().map((size) => {
    const own = stride;
    stride *= size;
    return own;
  });
  return source.view(resolved, strides.toReversed());
}

/** View with axes in another order: axis i of the result is axis `dims[i]` of `x`. */
export function permute(x: NDArray, dims: readonly number[]): NDArray {
  const order = dims.map((dim) => (dim < 0 ? dim + x.rank : dim));
  if (
    order.length !== x.rank ||
    !sameShape(
      [...order].sort((p, q) => p - q),
      [...order.keys()],
    )
  ) {
    throw new ShapeError(
      `permute: [${dims.join(', ')}] is not an order of the ${x.rank} axes of ${formatShape(x.shape)}.`,
    );
  }
  return x.view(
    order.map((axis) => x.shape[axis] ?? 1),
    order.map((axis) => x.strides[axis] ?? 0),
  );
}

/** View that repeats `x` along axes of size 1 and new leading axes; -1 keeps a size. */
export function expand(x: NDArray, shape: Shape): NDArray {
  const shift = shape.length - x.rank;
  const target = shape.map((size, axis) => (size === -1 ? (x.shape[axis - shift] ?? 1) : size));
  const fits = shift >= 0 && x.shape.every((size, axis) => size === 1 || size === target[axis + shift]);
  if (!fits) throw new ShapeError(`expand: ${formatShape(x.shape)} cannot be repeated to ${formatShape(shape)}.`);
  return x.view(target, broadcastStrides(x.shape, x.strides, target));
}
