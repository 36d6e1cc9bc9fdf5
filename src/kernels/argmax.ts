import { defineKernel } from './define.ts';
import { requireF32 } from './dtype.ts';
import { NDArray } from './ndarray.ts';
import { reducedShape, rowsOf } from './reduce.ts';
import type { RowLayout } from './reduceRows.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';
import { normalizeAxis } from './shape.ts';

const argmaxKernel = defineKernel({
  name: 'argmax',
  shader: wgsl.argmax,
  params: { outer: 'u32', length: 'u32', inner: 'u32' },
  bindings: ['read', 'write'],
  variants: rowVariants(['first']),
  dispatch: ({ outer, inner }, constants) => rowGrid(outer * inner, constants),
  cost: ({ outer, length, inner }) => ({ flops: outer * length * inner, bytes: 4 * outer * inner * (length + 1) }),
});

/** Positions (i32) of the first maximum of each row of the dense `x`, in the order `[outer, inner]`. */
export function argmaxRows(x: NDArray, y: NDArray, layout: RowLayout): void {
  if (y.size === 0) return;
  const form = chooseRowForm(x.gpu, layout.length, layout.outer * layout.inner);
  argmaxKernel.run(x.gpu, `first-${form}`, [x, y], { ...layout });
}

/**
 * Position of the maximum along `axis`, or in row-major order over all axes if it is null; the first one at ties.
 * @returns i32.
 */
export function argmax(x: NDArray, axis: number | null, keepDims = false): NDArray {
  requireF32('argmax', x);
  const axes = axis === null ? [...x.shape.keys()] : [normalizeAxis(axis, x.rank, 'argmax')].slice(0, x.rank);
  const { source, layout } = rowsOf(x, axes, 'argmax');
  const y = NDArray.empty(x.gpu, reducedShape(x.shape, axes, keepDims), 'i32');
  argmaxRows(source, y, layout);
  return y;
}
