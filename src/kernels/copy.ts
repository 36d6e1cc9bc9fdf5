import { ShapeError } from '../gpu/errors.ts';
import type { Variant } from './define.ts';
import { defineKernel, grid1d } from './define.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';
import type { Shape } from './shape.ts';
import { broadcastStrides, formatShape, isContiguous, maxRank, mergeAxes, numel, sameShape } from './shape.ts';

const workgroup = 256;
/** Numbers of merged axes with a variant of their own. */
const ranks = [1, 2, 3, 4, maxRank] as const;

function copyVariants(): Readonly<Record<`${(typeof ranks)[number]}-${'scalar' | 'vec4'}`, Variant>> {
  const variants: Record<string, Variant> = {};
  for (const rank of ranks) {
    const constants = { WORKGROUP_SIZE: workgroup, RANK: rank };
    variants[`${rank}-scalar`] = { constants, libraries: [wgsl.libGrid, wgsl.libElementScalar] };
    variants[`${rank}-vec4`] = { constants, libraries: [wgsl.libGrid, wgsl.libElementVec4] };
  }
  return variants as ReturnType<typeof copyVariants>;
}

const copyKernel = defineKernel({
  name: 'copy',
  shader: wgsl.copy,
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
    y0: 'u32',
    y1: 'u32',
    y2: 'u32',
    y3: 'u32',
    y4: 'u32',
    y5: 'u32',
    startX: 'u32',
    startY: 'u32',
  },
  bindings: ['read', 'write'],
  typed: [0, 1],
  variants: copyVariants(),
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count }) => ({ flops: 0, bytes: 8 * count }),
});

/**
 * Copies `source` into `target`, which may be a view of a part of another array; both may have any strides.
 * @throws ShapeError if shapes or dtypes differ, or for views with more than six separate axes.
 */
export function copyInto(source: NDArray, target: NDArray): void {
  if (!sameShape(target.shape, source.shape) || target.dtype !== source.dtype) {
    throw new ShapeError(
      `copy: ${source.dtype} ${formatShape(source.shape)} does not fit into ${target.dtype} ${formatShape(target.shape)}.`,
    );
  }
  if (source.size === 0) return;
  const [sizes, [from = [], to = []]] = mergeAxes(source.shape, [source.strides, target.strides]);
  const rank = ranks.find((known) => known >= sizes.length);
  if (!rank) {
    throw new ShapeError(
      `A view of shape ${formatShape(source.shape)} has too many separate axes to copy (${maxRank} at most).`,
    );
  }
  // A dense array is bound from its first element on, any other from the start of its buffer.
  const startX = source.isDense ? 0 : source.offset;
  const startY = target.isDense ? 0 : target.offset;
  const inner = sizes.length - 1;
  const wide =
    [sizes[inner] ?? 1, startX, startY, ...from.slice(0, inner), ...to.slice(0, inner)].every((n) => n % 4 === 0) &&
    from[inner] === 1 &&
    to[inner] === 1;
  const unit = wide ? 4 : 1;
  // Axis 0 of the shader is the outermost one; the innermost is counted in Elements, where its stride stays 1.
  const size = (axis: number): number => (sizes[axis] ?? 1) / (axis === inner ? unit : 1);
  const stride = (strides: readonly number[], axis: number): number =>
    ((strides[axis] ?? 0) / (axis === inner ? 1 : unit)) >>> 0;
  copyKernel.run(source.gpu, `${rank}-${wide ? 'vec4' : 'scalar'}`, [source, target], {
    count: source.size / unit,
    size1: size(1),
    size2: size(2),
    size3: size(3),
    size4: size(4),
    size5: size(5),
    x0: stride(from, 0),
    x1: stride(from, 1),
    x2: stride(from, 2),
    x3: stride(from, 3),
    x4: stride(from, 4),
    x5: stride(from, 5),
    y0: stride(to, 0),
    y1: stride(to, 1),
    y2: stride(to, 2),
    y3: stride(to, 3),
    y4: stride(to, 4),
    y5: stride(to, 5),
    startX: startX / unit,
    startY: startY / unit,
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
