import { ShapeError } from '../gpu/errors.ts';
import { defineKernel, grid1d } from './define.ts';
import type { NDArray } from './ndarray.ts';
import { formatShape, maxRank, mergeAxes, sameShape } from './shape.ts';

const workgroup = 256;

function ranked(rank: number): {
  readonly constants: { readonly WORKGROUP_SIZE: number; readonly RANK: number };
  readonly libraries: readonly ['lib/grid'];
} {
  return { constants: { WORKGROUP_SIZE: workgroup, RANK: rank }, libraries: ['lib/grid'] };
}

const assignKernel = defineKernel({
  name: 'assign',
  shader: 'assign',
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
  variants: { rank2: ranked(2), rank4: ranked(4), rank6: ranked(maxRank) },
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count }) => ({ flops: 0, bytes: 8 * count }),
});

/**
 * Copies `source` into `target`, a view of another array, element by element; both may have any strides.
 * @throws ShapeError if the shapes or dtypes differ.
 */
export function assign(target: NDArray, source: NDArray): void {
  if (!sameShape(target.shape, source.shape) || target.dtype !== source.dtype) {
    throw new ShapeError(
      `assign: ${source.dtype} ${formatShape(source.shape)} does not fit into ${target.dtype} ${formatShape(target.shape)}.`,
    );
  }
  if (source.size === 0) return;
  const [sizes, [from = [], to = []]] = mergeAxes(source.shape, [source.strides, target.strides]);
  if (sizes.length > maxRank) {
    throw new ShapeError(
      `A view of shape ${formatShape(source.shape)} has too many separate axes to copy (${maxRank} at most).`,
    );
  }
  const rank = sizes.length;
  // Axis 0 of the shader is the outermost one of those that exist.
  const size = (axis: number): number => sizes[axis] ?? 1;
  const pick = (strides: readonly number[], axis: number): number => (strides[axis] ?? 0) >>> 0;
  const variant = rank <= 2 ? 'rank2' : rank <= 4 ? 'rank4' : 'rank6';
  assignKernel.run(source.gpu, variant, [source, target], {
    count: source.size,
    size1: size(1),
    size2: size(2),
    size3: size(3),
    size4: size(4),
    size5: size(5),
    x0: pick(from, 0),
    x1: pick(from, 1),
    x2: pick(from, 2),
    x3: pick(from, 3),
    x4: pick(from, 4),
    x5: pick(from, 5),
    y0: pick(to, 0),
    y1: pick(to, 1),
    y2: pick(to, 2),
    y3: pick(to, 3),
    y4: pick(to, 4),
    y5: pick(to, 5),
    startX: source.isDense ? 0 : source.offset,
    startY: target.isDense ? 0 : target.offset,
  });
}
