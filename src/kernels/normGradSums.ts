import type { ColumnPlan } from './columns.ts';
import { columnLibraries, columnWorkgroup, planColumns } from './columns.ts';
import type { Variant } from './define.ts';
import { defineKernel, grid1d } from './define.ts';
import type { ResultTarget } from './ndarray.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';

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

const libraries: Readonly<Record<ColumnPlan['width'], readonly string[]>> = {
  vec4: [...columnLibraries.vec4, wgsl.libSumCompensated],
  scalar: [...columnLibraries.scalar, wgsl.libSumCompensated],
};

function variant(width: ColumnPlan['width'], statistics: string, constants: { EVAL: boolean; RELU: boolean }): Variant {
  return {
    constants: { WORKGROUP_SIZE: columnWorkgroup, ...constants },
    libraries: [...libraries[width], statistics],
  };
}

const sumsKernel = defineKernel({
  name: 'normGradSums',
  shader: wgsl.normGradSums,
  params: { rows: 'u32', columns: 'u32', chunkRows: 'u32', chunks: 'u32', eps: 'f32', zero: 'u32' },
  bindings: ['read', 'read', 'read', 'read', 'read', 'read', 'write'],
  typed: [0, 1, 4, 5],
  variants: {
    'channel-vec4': variant('vec4', wgsl.libStatsOfColumn, { EVAL: false, RELU: false }),
    'channel-scalar': variant('scalar', wgsl.libStatsOfColumn, { EVAL: false, RELU: false }),
    'channelRelu-vec4': variant('vec4', wgsl.libStatsOfColumn, { EVAL: false, RELU: true }),
    'channelRelu-scalar': variant('scalar', wgsl.libStatsOfColumn, { EVAL: false, RELU: true }),
    'fixed-vec4': variant('vec4', wgsl.libStatsOfColumn, { EVAL: true, RELU: false }),
    'fixed-scalar': variant('scalar', wgsl.libStatsOfColumn, { EVAL: true, RELU: false }),
    'fixedRelu-vec4': variant('vec4', wgsl.libStatsOfColumn, { EVAL: true, RELU: true }),
    'fixedRelu-scalar': variant('scalar', wgsl.libStatsOfColumn, { EVAL: true, RELU: true }),
    'row-vec4': variant('vec4', wgsl.libStatsOfRow, { EVAL: false, RELU: false }),
    'row-scalar': variant('scalar', wgsl.libStatsOfRow, { EVAL: false, RELU: false }),
  },
  dispatch: ({ columns, chunks }) => grid1d(columns * chunks, columnWorkgroup),
  cost: ({ rows, columns }) => ({ flops: 5 * rows * columns, bytes: 8 * rows * columns }),
});

const totals = {
  shader: wgsl.normGradTotals,
  params: { columns: 'u32', length: 'u32', span: 'u32', spans: 'u32', zero: 'u32' },
  dispatch: ({ spans, columns }: { readonly spans: number; readonly columns: number }) =>
    grid1d(spans * columns, columnWorkgroup),
  cost: ({ columns, length }: { readonly columns: number; readonly length: number }) => ({
    flops: 10 * columns * length,
    bytes: 12 * columns * length,
  }),
} as const;

function totalsVariants(targets: string): Readonly<Record<ColumnPlan['width'], Variant>> {
  const constants = { WORKGROUP_SIZE: columnWorkgroup };
  return {
    vec4: { constants, libraries: [...libraries.vec4, targets] },
    scalar: { constants, libraries: [...libraries.scalar, targets] },
  };
}

const totalsKernel = defineKernel({
  ...totals,
  name: 'normGradTotals',
  bindings: ['read', 'write'],
  variants: totalsVariants(wgsl.libNormNoTargets),
});

/** The last stage, which also stores the gradients of weight and bias where they belong. */
const finalKernel = defineKernel({
  ...totals,
  name: 'normGradFinal',
  bindings: ['read', 'write', 'write', 'write'],
  variants: totalsVariants(wgsl.libNormTargets),
});

/** Chunks that one invocation adds. */
const span = 64;

/** Arrays `[channels]` that take the gradients of weight and bias. */
export interface NormTargets {
  readonly weight: NDArray;
  readonly bias: NDArray;
}

/** Adds up the chunks of `partial` `[3, chunks, channels]`, which is disposed, to `[3, 1, channels]`. */
function addChunks(partial: NDArray, plan: ColumnPlan, targets: NormTargets | undefined): NDArray {
  const { width, columns } = plan;
  const [kinds = 0, length = 0, channels = 0] = partial.shape;
  if (length === 1 && !targets) return partial;
  const spans = Math.ceil(length / span);
  const sums = NDArray.empty(partial.gpu, [kinds, spans, channels]);
  const params = { columns, length, span, spans, zero: 0 };
  const isLast = spans === 1;
  if (isLast && targets) finalKernel.run(partial.gpu, width, [partial, sums, targets.weight, targets.bias], params);
  else totalsKernel.run(partial.gpu, width, [partial, sums], params);
  partial.dispose();
  return isLast ? sums : addChunks(sums, plan, targets);
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
 * @param targets take `[1]` and `[0]` besides.
 * @returns `[3, 1, channels]`
 */
export function normGradSums(
  x: NDArray,
  dy: NDArray,
  statistics: NormStatistics,
  per: StatisticsOwner,
  rectified?: Rectified,
  targets?: NormTargets,
): NDArray {
  const channels = x.shape.at(-1) ?? 1;
  const plan = planColumns(x.gpu, x.size / channels, channels);
  const { width, columns, rows, chunkRows, chunks } = plan;
  const { mean, spread } = statistics;
  const partial = NDArray.empty(x.gpu, [3, chunks, channels]);
  sumsKernel.run(
    x.gpu,
    `${formOf(statistics, per, rectified)}-${width}`,
    // Without a ReLU these two are not read; x only fills their places.
    [x, dy, mean, spread, rectified?.weight ?? x, rectified?.bias ?? x, partial],
    { rows, columns, chunkRows, chunks, eps: statistics.eps, zero: 0 },
  );
  return addChunks(partial, plan, targets);
}

/** Targets of both gradients if they may be overwritten. */
export function normTargets(weight: ResultTarget | undefined, bias: ResultTarget | undefined): NormTargets | undefined {
  if (!weight || !bias || weight.accumulate || bias.accumulate) return undefined;
  return { weight: weight.array, bias: bias.array };
}
