import { contiguous } from './copy.ts';
import type { Variant } from './define.ts';
import { defineKernel, grid1d } from './define.ts';
import { fillInto } from './fill.ts';
import type { ResultTarget } from './ndarray.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';

const workgroup = 64;
/** Sorted positions that one invocation adds up. */
const chunk = 64;

const sortKernel = defineKernel({
  name: 'sortIndices',
  shader: wgsl.sortIndices,
  params: { count: 'u32', length: 'u32' },
  bindings: ['read', 'write', 'write'],
  variants: { count: { constants: { WORKGROUP_SIZE: workgroup }, libraries: [wgsl.libGrid] } },
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count }) => ({ flops: count * count, bytes: 12 * count }),
});

function variant(join: boolean, element: string): Variant {
  return {
    constants: { WORKGROUP_SIZE: workgroup, CHUNK: chunk, JOIN: join },
    libraries: [wgsl.libGrid, element],
  };
}

const addRowsKernel = defineKernel({
  name: 'addRows',
  shader: wgsl.addRows,
  params: { columns: 'u32', selected: 'u32', length: 'u32', inner: 'u32', chunks: 'u32', skip: 'u32' },
  bindings: ['read', 'read', 'read', 'write', 'write'],
  variants: {
    'add-scalar': variant(false, wgsl.libElementScalar),
    'add-vec4': variant(false, wgsl.libElementVec4),
    'join-scalar': variant(true, wgsl.libElementScalar),
    'join-vec4': variant(true, wgsl.libElementVec4),
  },
  dispatch: ({ columns, chunks }) => grid1d(columns * chunks, workgroup),
  cost: ({ columns, selected }) => ({ flops: columns * selected, bytes: 8 * columns * selected }),
});

/** No row has this number. */
const noRow = 0xffffffff;

/**
 * Adds the rows of `dy` `[outer, selected, inner]` that belong to the same index: `[outer, length, inner]`.
 * The same input gives the same bits, however often an index occurs.
 * @param index i32 `[selected]`, clamped to `[0, length)`.
 * @param skip a row of the result that stays zero.
 * @param target where the result goes instead, unless it would be added to.
 */
export function addRows(
  dy: NDArray,
  index: NDArray,
  layout: { readonly outer: number; readonly length: number; readonly inner: number },
  skip: number = noRow,
  target?: ResultTarget,
): NDArray {
  const { gpu } = dy;
  const { outer, length, inner } = layout;
  const dx = target && !target.accumulate ? target.array : NDArray.empty(gpu, [outer, length, inner]);
  fillInto(dx, 0);
  const selected = index.size;
  if (dx.size === 0 || selected === 0) return dx;
  const keys = NDArray.empty(gpu, [selected], 'i32');
  const order = NDArray.empty(gpu, [selected], 'u32');
  sortKernel.run(gpu, 'count', [contiguous(index), keys, order], { count: selected, length });
  const width = inner % 4 === 0 ? 'vec4' : 'scalar';
  const elements = width === 'vec4' ? inner / 4 : inner;
  const chunks = Math.ceil(selected / chunk);
  const borders = NDArray.empty(gpu, [2, chunks, outer * inner]);
  const params = { columns: outer * elements, selected, length, inner: elements, chunks, skip };
  const arrays = [contiguous(dy), keys, order, borders, dx];
  addRowsKernel.run(gpu, `add-${width}`, arrays, params);
  if (chunks > 1) addRowsKernel.run(gpu, `join-${width}`, arrays, params);
  for (const temporary of [keys, order, borders]) temporary.dispose();
  return dx;
}
