import { defineKernel } from './define.ts';
import type { NDArray } from './ndarray.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';

/** In the order of the constants in `reduceRows.wgsl`. */
const reduceOps = ['sum', 'mean', 'max', 'logSumExp'] as const;
export type ReduceOp = (typeof reduceOps)[number];

/** A dense array seen as `[outer, length, inner]`; `length` is reduced. */
export interface RowLayout {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
}

const reduceKernel = defineKernel({
  name: 'reduceRows',
  shader: 'reduceRows',
  params: { outer: 'u32', length: 'u32', inner: 'u32' },
  bindings: ['read', 'write'],
  variants: rowVariants(reduceOps),
  dispatch: ({ outer, inner }, constants) => rowGrid(outer * inner, constants),
  cost: ({ outer, length, inner }) => ({ flops: outer * length * inner, bytes: 4 * outer * inner * (length + 1) }),
});

/** Reduces the dense `x` into the dense `y` `[outer, inner]`. */
export function reduceRows(op: ReduceOp, x: NDArray, y: NDArray, layout: RowLayout): void {
  reduceKernel.run(x.gpu, `${op}-${chooseRowForm(x.gpu, layout.length)}`, [x, y], { ...layout });
}
