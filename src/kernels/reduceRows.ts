import type { Gpu } from '../gpu/gpu.ts';
import { defineKernel, grid1d } from './define.ts';
import { elementwiseVariants } from './elementwise.ts';
import { NDArray } from './ndarray.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';
import type { Shape } from './shape.ts';
import { normalizeAxis, numel } from './shape.ts';

/** In the order of the constants in `reduceRows.wgsl` and `reduceColumns.wgsl`. */
const reduceOps = ['sum', 'mean', 'max', 'logSumExp'] as const;
export type ReduceOp = (typeof reduceOps)[number];

/** A dense array seen as `[outer, length, inner]`; `length` is reduced. */
export interface RowLayout {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

/** `shape` seen as `[outer, length, inner]` around `axis`, which may count from the end. */
export function axisLayout(shape: Shape, axis: number, what: string): RowLayout {
  const along = normalizeAxis(axis, shape.length, what);
  return { outer: numel(shape.slice(0, along)), length: shape[along] ?? 1, inner: numel(shape.slice(along + 1)) };
}

const reduceRowsKernel = defineKernel({
  name: 'reduceRows',
  shader: wgsl.reduceRows,
  params: { rows: 'u32', length: 'u32', chunks: 'u32', chunkLength: 'u32', divisor: 'f32' },
  bindings: ['read', 'write'],
  typed: [0, 1],
  variants: rowVariants(reduceOps),
  dispatch: ({ rows, chunks }, constants) => rowGrid(rows * chunks, constants),
  cost: ({ rows, length }) => ({ flops: rows * length, bytes: 4 * rows * (length + 1) }),
});

const columnWorkgroup = 64;

const reduceColumnsKernel = defineKernel({
  name: 'reduceColumns',
  shader: wgsl.reduceColumns,
  params: { outer: 'u32', length: 'u32', inner: 'u32', chunks: 'u32', chunkLength: 'u32', divisor: 'f32' },
  bindings: ['read', 'write'],
  typed: [0, 1],
  variants: elementwiseVariants(reduceOps, [], { WORKGROUP_SIZE: columnWorkgroup }),
  dispatch: ({ outer, inner, chunks }) => grid1d(outer * inner * chunks, columnWorkgroup),
  cost: ({ outer, length, inner }) => ({ flops: outer * length * inner, bytes: 4 * outer * inner * (length + 1) }),
});

interface Chunks {
  readonly chunks: number;
  readonly chunkLength: number;
}

/** Cuts `length` so that about `wanted` invocations or workgroups have work, `shortest` steps or more each. */
function cut(length: number, items: number, wanted: number, shortest: number): Chunks {
  const wantedChunks = Math.ceil(wanted / items);
  const chunkLength = Math.max(1, Math.min(length, Math.max(shortest, Math.ceil(length / wantedChunks))));
  return { chunks: Math.max(1, Math.ceil(length / chunkLength)), chunkLength };
}

/**
 * Items that keep a device busy, and the work per item that pays for a second stage. Rows on hardware are shared by
 * workgroups; everything else is counted in invocations.
 */
function cutRows(gpu: Gpu, { outer, length }: RowLayout): Chunks {
  return gpu.adapter.kind === 'hardware' ? cut(length, outer, 512, 8192) : cut(length, outer, 128, 256);
}

function cutColumns(gpu: Gpu, { length }: RowLayout, columns: number): Chunks {
  return gpu.adapter.kind === 'hardware' ? cut(length, columns, 32_768, 32) : cut(length, columns, 512, 64);
}

/**
 * Reduces the dense `x` into the dense `y` `[outer, inner]`; `length` must not be 0. Where rows or columns are few and
 * long, chunks of them are reduced first, then their results in order: no atomics, always the same bits.
 */
export function reduceRows(
  op: ReduceOp,
  x: NDArray,
  y: NDArray,
  layout: RowLayout,
  divisor: number = layout.length,
): void {
  const { outer, length, inner } = layout;
  const [width, unit] = inner % 4 === 0 ? (['vec4', 4] as const) : (['scalar', 1] as const);
  const { chunks, chunkLength } =
    inner === 1 ? cutRows(x.gpu, layout) : cutColumns(x.gpu, layout, (outer * inner) / unit);
  const target = chunks === 1 ? y : NDArray.empty(x.gpu, [outer, chunks, inner]);
  // Chunks of a mean are summed; the last stage divides.
  const stage = chunks > 1 && op === 'mean' ? 'sum' : op;
  if (inner === 1) {
    const params = { rows: outer, length, chunks, chunkLength, divisor };
    reduceRowsKernel.run(x.gpu, `${stage}-${chooseRowForm(x.gpu, chunkLength, outer * chunks)}`, [x, target], params);
  } else {
    const params = { outer, length, inner: inner / unit, chunks, chunkLength, divisor };
    reduceColumnsKernel.run(x.gpu, `${stage}-${width}`, [x, target], params);
  }
  if (target === y) return;
  reduceRows(op, target, y, { outer, length: chunks, inner }, divisor);
  target.dispose();
}
