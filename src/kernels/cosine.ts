import { contiguous, expand } from './copy.ts';
import { defineKernel } from './define.ts';
import { NDArray } from './ndarray.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';
import type { Shape } from './shape.ts';
import { numel, sameShape } from './shape.ts';

const params = { rows: 'u32', rowsA: 'u32', rowsB: 'u32', columns: 'u32', eps: 'f32' } as const;

/** One or four floats per load. */
const variants = {
  ...rowVariants(['vec4'], [wgsl.libElementVec4, wgsl.libSumVec4]),
  ...rowVariants(['scalar'], [wgsl.libElementScalar, wgsl.libSumScalar]),
};

const cosineKernel = defineKernel({
  name: 'cosineRows',
  shader: wgsl.cosineRows,
  params,
  bindings: ['read', 'read', 'write'],
  variants,
  dispatch: ({ rows }, constants) => rowGrid(rows, constants),
  cost: ({ rows, rowsA, rowsB, columns }) => ({
    flops: 6 * rows * columns,
    bytes: 4 * columns * (rowsA + rowsB) + 4 * rows,
  }),
});

const gradKernel = defineKernel({
  name: 'cosineRowsGrad',
  shader: wgsl.cosineRowsGrad,
  params,
  bindings: ['read', 'read', 'read', 'write', 'write'],
  variants,
  dispatch: ({ rows }, constants) => rowGrid(rows, constants),
  cost: ({ rows, rowsA, rowsB, columns }) => ({
    flops: 12 * rows * columns,
    bytes: 4 * columns * (rowsA + rowsB + 2 * rows) + 4 * rows,
  }),
});

/** Two dense arrays of rows; the one with fewer rows is repeated as a whole until there are `leading`. */
export interface CosineOperands {
  readonly a: NDArray;
  readonly b: NDArray;
  /** Broadcast shape of all axes but the last. */
  readonly leading: Shape;
}

/** A dense array whose rows, repeated as a whole, are those of `x` broadcast to `leading`; copies only if it must. */
export function repeatedRows(x: NDArray, leading: Shape): NDArray {
  const own = x.shape.slice(0, -1);
  const first = own.findIndex((size) => size !== 1);
  const kept = first < 0 ? [] : own.slice(first);
  const repeats = sameShape(kept, leading.slice(leading.length - kept.length));
  return contiguous(repeats ? x : expand(x, [...leading, x.shape.at(-1) ?? 1]));
}

function plan({ a, b, leading }: CosineOperands) {
  const size = a.shape.at(-1) ?? 1;
  const width = size % 4 === 0 ? 'vec4' : 'scalar';
  const columns = width === 'vec4' ? size / 4 : size;
  const sizes = { rows: numel(leading), rowsA: a.size / size, rowsB: b.size / size, columns };
  return { variant: `${width}-${chooseRowForm(a.gpu, columns, sizes.rows)}`, sizes } as const;
}

/** `a . b / max(|a| |b|, eps)` of each pair of rows: `[leading]`. */
export function cosineRows(operands: CosineOperands, eps: number): NDArray {
  const { a, b, leading } = operands;
  const y = NDArray.empty(a.gpu, leading);
  const { variant, sizes } = plan(operands);
  if (y.size > 0) cosineKernel.run(a.gpu, variant, [a, b, y], { ...sizes, eps });
  return y;
}

/** Gradients `[leading, width]` of both operands of `cosineRows`; those of repeated rows are still to be summed. */
export function cosineRowsGrad(operands: CosineOperands, dy: NDArray, eps: number): readonly [NDArray, NDArray] {
  const { a, b, leading } = operands;
  const shape = [...leading, a.shape.at(-1) ?? 1];
  const da = NDArray.empty(a.gpu, shape);
  const db = NDArray.empty(a.gpu, shape);
  const { variant, sizes } = plan(operands);
  if (dy.size > 0) gradKernel.run(a.gpu, variant, [a, b, dy, da, db], { ...sizes, eps });
  return [da, db];
}
