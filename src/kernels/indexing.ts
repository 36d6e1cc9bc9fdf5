import { ShapeError } from '../gpu/errors.ts';
import { addRows } from './addRows.ts';
import { contiguous, reshape } from './copy.ts';
import { defineKernel, grid1d } from './define.ts';
import { elementwiseVariants, elementwiseWorkgroup } from './elementwise.ts';
import type { ResultTarget } from './ndarray.ts';
import { NDArray } from './ndarray.ts';
import { axisLayout } from './reduceRows.ts';
import * as wgsl from './shaders.gen.ts';
import type { Shape } from './shape.ts';
import { formatShape, normalizeAxis } from './shape.ts';

const params = { count: 'u32', length: 'u32', selected: 'u32', inner: 'u32' } as const;
const plain = { constants: { WORKGROUP_SIZE: elementwiseWorkgroup }, libraries: [wgsl.libGrid] } as const;

const indexSelectKernel = defineKernel({
  name: 'indexSelect',
  shader: wgsl.indexSelect,
  params,
  bindings: ['read', 'read', 'write'],
  variants: elementwiseVariants(['select']),
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 0, bytes: 8 * count }),
});

const gatherKernel = defineKernel({
  name: 'gather',
  shader: wgsl.gather,
  params,
  bindings: ['read', 'read', 'write'],
  variants: { plain },
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count }) => ({ flops: 0, bytes: 12 * count }),
});

const gatherGradKernel = defineKernel({
  name: 'gatherGrad',
  shader: wgsl.gatherGrad,
  params,
  bindings: ['read', 'read', 'write'],
  variants: { plain },
  dispatch: ({ count }) => grid1d(count, elementwiseWorkgroup),
  cost: ({ count, selected }) => ({ flops: count * selected, bytes: 4 * count }),
});

function requireIndex(index: NDArray, what: string): void {
  if (index.dtype !== 'i32') throw new ShapeError(`${what}: the index has dtype ${index.dtype}; expected i32.`);
}

function requireRows(x: NDArray, length: number, count: number, what: string): void {
  if (length === 0 && count > 0)
    throw new ShapeError(`${what}: there is nothing to select from ${formatShape(x.shape)}.`);
}

/**
 * Entries `index` along `axis`; the axis is replaced by the axes of `index` (i32).
 * Positions outside are clamped to the nearest valid one: the GPU cannot raise an error, so check host data before.
 */
export function indexSelect(x: NDArray, axis: number, index: NDArray): NDArray {
  requireIndex(index, 'indexSelect');
  const along = normalizeAxis(axis, x.rank, 'indexSelect');
  const y = NDArray.empty(x.gpu, [...x.shape.slice(0, along), ...index.shape, ...x.shape.slice(along + 1)], x.dtype);
  const { length, inner } = axisLayout(x.shape, along, 'indexSelect');
  requireRows(x, length, y.size, 'indexSelect');
  if (y.size === 0) return y;
  const [width, unit] = inner % 4 === 0 ? (['vec4', 4] as const) : (['scalar', 1] as const);
  indexSelectKernel.run(x.gpu, `select-${width}`, [contiguous(x), contiguous(index), y], {
    count: y.size / unit,
    length,
    selected: index.size,
    inner: inner / unit,
  });
  return y;
}

/** Gradient of `indexSelect` for `x` of `shape`; the row `skip` gets none. Deterministic. */
export function indexSelectGrad(
  dy: NDArray,
  shape: Shape,
  axis: number,
  index: NDArray,
  skip?: number,
  target?: ResultTarget,
): NDArray {
  const layout = axisLayout(shape, axis, 'indexSelect');
  const dx = addRows(dy, index, layout, skip, target);
  return dx === target?.array ? dx : reshape(dx, shape);
}

/**
 * `y[.., j, ..] = x[.., index[.., j, ..], ..]` along `axis`; `index` (i32) has the sizes of `x` on all other axes.
 * Positions outside are clamped.
 */
export function gather(x: NDArray, axis: number, index: NDArray): NDArray {
  requireIndex(index, 'gather');
  const along = normalizeAxis(axis, x.rank, 'gather');
  if (index.rank !== x.rank || !index.shape.every((size, i) => i === along || size === x.shape[i])) {
    throw new ShapeError(
      `gather: the index ${formatShape(index.shape)} does not fit ${formatShape(x.shape)} on the axes other than ${along}.`,
    );
  }
  const y = NDArray.empty(x.gpu, index.shape, x.dtype);
  const { length, inner } = axisLayout(x.shape, along, 'gather');
  requireRows(x, length, y.size, 'gather');
  if (y.size > 0) {
    const arrays = [contiguous(x), contiguous(index), y];
    gatherKernel.run(x.gpu, 'plain', arrays, { count: y.size, length, selected: index.shape[along] ?? 1, inner });
  }
  return y;
}

/** Gradient of `gather` for `x` of `shape`: deterministic, with a walk over all positions of the column per element. */
export function gatherGrad(dy: NDArray, shape: Shape, axis: number, index: NDArray): NDArray {
  const along = normalizeAxis(axis, shape.length, 'gather');
  const { length, inner } = axisLayout(shape, along, 'gather');
  const dx = NDArray.empty(dy.gpu, shape);
  if (dx.size > 0) {
    const arrays = [contiguous(index), contiguous(dy), dx];
    const selected = index.shape[along] ?? 1;
    gatherGradKernel.run(dy.gpu, 'plain', arrays, { count: dx.size, length, selected, inner });
  }
  return dx;
}
