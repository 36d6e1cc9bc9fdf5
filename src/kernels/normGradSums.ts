import type { ColumnPlan } from './columns.ts';
import { columnLibraries, columnWorkgroup, planColumns } from './columns.ts';
import type { Variant } from './define.ts';
import { defineKernel, grid1d } from './define.ts';
import { NDArray } from './ndarray.ts';
import type { ShaderName } from './shaders.gen.ts';

/** Mean and spread of a normalisation; the spread is `1 / sqrt(variance + eps)`, or the variance where `eval` is set. */
export interface NormStatistics {
  readonly mean: NDArray;
  readonly spread: NDArray;
  readonly eps: number;
  readonly eval: boolean;
}

/** Weight and bias `[channels]` of a batch norm that a ReLU followed: they tell where its output was positive. */
export interface Rectified {
  readonly weight: NDArray;
  readonly bias: NDArray;
}

const libraries: Readonly<Record<ColumnPlan['width'], readonly ShaderName[]>> = {
  vec4: [...columnLibraries.vec4, 'lib/sumCompensated'],
  scalar: [...columnLibraries.scalar, 'lib/sumCompensated'],
};

function variant(
  width: ColumnPlan['width'],
  statistics: ShaderName,
  constants: { EVAL: boolean; RELU: boolean },
): Variant {
  return {
    constants: { WORKGROUP_SIZE: columnWorkgroup, ...constants },
    libraries: [...libraries[width], statistics],
  };
}

const sumsKernel = defineKernel({
  name: 'normGradSums',
  shader: 'normGradSums',
  params: { rows: 'u32', columns: 'u32', chunkRows: 'u32', chunks: 'u32', eps: 'f32', zero: 'u32' },
  bindings: ['read', 'read', 'read', 'read', 'read', 'read', 'write'],
  typed: [0, 1],
  variants: {
    'channel-vec4': variant('vec4', 'lib/statsOfColumn', { EVAL: false, RELU: false }),
    'channel-scalar': variant('scalar', 'lib/statsOfColumn', { EVAL: false, RELU: false }),
    'channelRelu-vec4': variant('vec4', 'lib/statsOfColumn', { EVAL: false, RELU: true }),
    'channelRelu-scalar': variant('scalar', 'lib/statsOfColumn', { EVAL: false, RELU: true }),
    'fixed-vec4': variant('vec4', 'lib/statsOfColumn', { EVAL: true, RELU: false }),
    'fixed-scalar': variant('scalar', 'lib/statsOfColumn', { EVAL: true, RELU: false }),
    'fixedRelu-vec4': variant('vec4', 'lib/statsOfColumn', { EVAL: true, RELU: true }),
    'fixedRelu-scalar': variant('scalar', 'lib/statsOfColumn', { EVAL: true, RELU: true }),
    'row-vec4': variant('vec4', 'lib/statsOfRow', { EVAL: false, RELU: false }),
    'row-scalar': variant('scalar', 'lib/statsOfRow', { EVAL: false, RELU: false }),
  },
  dispatch: ({ columns, chunks }) => grid1d(columns * chunks, columnWorkgroup),
  cost: ({ rows, columns }) => ({ flops: 5 * rows * columns, bytes: 8 * rows * columns }),
});

const totalsKernel = defineKernel({
  name: 'normGradTotals',
  shader: 'normGradTotals',
  params: { columns: 'u32', length: 'u32', span: 'u32', spans: 'u32', zero: 'u32' },
  bindings: ['read', 'write'],
  variants: {
    vec4: { constants: { WORKGROUP_SIZE: columnWorkgroup }, libraries: libraries.vec4 },
    scalar: { constants: { WORKGROUP_SIZE: columnWorkgroup }, libraries: libraries.scalar },
  },
  dispatch: ({ spans, columns }) => grid1d(spans * columns, columnWorkgroup),
  cost: ({ columns, length }) => ({ flops: 10 * columns * length, bytes: 12 * columns * length }),
});

/** Chunks that one invocation adds. */
const span = 64;

/** Adds up the chunks of `partial` `[3, chunks, channels]`, which is disposed, to `[3, 1, channels]`. */
function addChunks(partial: NDArray, { width, columns }: Pick<ColumnPlan, 'width' | 'columns'>): NDArray {
  const [kinds = 0, length = 0, channels = 0] = partial.shape;
  if (length === 1) return partial;
  const spans = Math.ceil(length / span);
  const sums = NDArray.empty(partial.gpu, [kinds, spans, channels]);
  totalsKernel.run(partial.gpu, width, [partial, sums], { columns, length, span, spans, zero: 0 });
  partial.dispose();
  return addChunks(sums, { width, columns });
}

/** Whose statistics: channels in batch norm, rows in layer norm. */
export type StatisticsOwner = 'channel' | 'row';

function formOf(statistics: NormStatistics, per: StatisticsOwner, rectified: Rectified | undefined) {
  if (per === 'row') return 'row';
  const form = statistics.eval ? 'fixed' : 'channel';
  return rectified ? (`${form}Relu` as const) : form;
}

/**
 * Sums over the rows of dense `x` and `dy` `[rows, channels]`: `[0]` holds sum(dy), the gradient of a norm's bias,
 * `[1]` sum(dy * xhat), the gradient of its weight, and `[2]` what rounding took from `[0]`, for the
 * input gradient of batch norm.
 * @param rectified given if a ReLU followed the batch norm: only where it let through does `dy` count.
 * @returns `[3, 1, channels]`
 */
export function normGradSums(
  x: NDArray,
  dy: NDArray,
  statistics: NormStatistics,
  per: StatisticsOwner,
  rectified?: Rectified,
): NDArray {
  const channels = x.shape.at(-1) ?? 1;
  const plan = planColumns(x.gpu, x.size / channels, channels);
  const { width, columns, rows, chunkRows, chunks } = plan;
  const { mean, spread } = statistics;
  const partial = NDArray.empty(x.gpu, [3, chunks, channels]);
  sumsKernel.run(
    x.gpu,
    `${formOf(statistics, per, rectified)}-${width}`,
    // Without a ReLU weight and bias are not read; the mean only fills their places.
    [x, dy, mean, spread, rectified?.weight ?? mean, rectified?.bias ?? mean, partial],
    { rows, columns, chunkRows, chunks, eps: statistics.eps, zero: 0 },
  );
  return addChunks(partial, plan);
}
