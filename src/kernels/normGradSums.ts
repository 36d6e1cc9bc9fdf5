import type { ColumnPlan } from './columns.ts';
import { columnLibraries, columnWorkgroup, planColumns } from './columns.ts';
import type { Variant } from './define.ts';
import { defineKernel, grid1d } from './define.ts';
import { NDArray } from './ndarray.ts';
import { reduceRows } from './reduceRows.ts';
import type { ShaderName } from './shaders.gen.ts';

/** Mean and spread of a normalisation; the spread is `1 / sqrt(variance + eps)`, or the variance where `eval` is set. */
export interface NormStatistics {
  readonly mean: NDArray;
  readonly spread: NDArray;
  readonly eps: number;
  readonly eval: boolean;
}

function variant(width: ColumnPlan['width'], statistics: ShaderName, fixed: boolean): Variant {
  return {
    constants: { WORKGROUP_SIZE: columnWorkgroup, EVAL: fixed },
    libraries: [...columnLibraries[width], statistics],
  };
}

const sumsKernel = defineKernel({
  name: 'normGradSums',
  shader: 'normGradSums',
  params: { rows: 'u32', columns: 'u32', chunkRows: 'u32', chunks: 'u32', eps: 'f32' },
  bindings: ['read', 'read', 'read', 'read', 'write'],
  variants: {
    'channel-vec4': variant('vec4', 'lib/statsOfColumn', false),
    'channel-scalar': variant('scalar', 'lib/statsOfColumn', false),
    'fixed-vec4': variant('vec4', 'lib/statsOfColumn', true),
    'fixed-scalar': variant('scalar', 'lib/statsOfColumn', true),
    'row-vec4': variant('vec4', 'lib/statsOfRow', false),
    'row-scalar': variant('scalar', 'lib/statsOfRow', false),
  },
  dispatch: ({ columns, chunks }) => grid1d(columns * chunks, columnWorkgroup),
  cost: ({ rows, columns }) => ({ flops: 5 * rows * columns, bytes: 8 * rows * columns }),
});

/**
 * Sums over the rows of dense `x` and `dy` `[rows, channels]`: `[0]` holds sum(dy), the gradient of a norm's bias,
 * `[1]` sum(dy * xhat), the gradient of its weight.
 * @param per whether the statistics belong to channels (batch norm) or rows (layer norm).
 * @returns `[2, channels]`
 */
export function normGradSums(x: NDArray, dy: NDArray, statistics: NormStatistics, per: 'channel' | 'row'): NDArray {
  const channels = x.shape.at(-1) ?? 1;
  const { width, columns, rows, chunkRows, chunks } = planColumns(x.gpu, x.size / channels, channels);
  const sums = NDArray.empty(x.gpu, [2, channels]);
  const partial = chunks === 1 ? sums : NDArray.empty(x.gpu, [2, chunks, channels]);
  sumsKernel.run(
    x.gpu,
    `${statistics.eval ? 'fixed' : per}-${width}`,
    [x, dy, statistics.mean, statistics.spread, partial],
    { rows, columns, chunkRows, chunks, eps: statistics.eps },
  );
  if (partial !== sums) {
    reduceRows('sum', partial, sums, { outer: 2, length: chunks, inner: channels });
    partial.dispose();
  }
  return sums;
}
