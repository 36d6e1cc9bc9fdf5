import type { ColumnPlan } from './columns.ts';
import { columnLibraries, columnWorkgroup, planColumns } from './columns.ts';
import type { Variant } from './define.ts';
import { defineKernel, grid1d } from './define.ts';
import { NDArray } from './ndarray.ts';
import type { NormStatistics } from './normGradSums.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';

const statsKernel = defineKernel({
  name: 'batchNormStats',
  shader: wgsl.batchNormStats,
  params: { rows: 'u32', columns: 'u32', chunkRows: 'u32', chunks: 'u32' },
  bindings: ['read', 'write'],
  typed: [0],
  variants: {
    vec4: { constants: { WORKGROUP_SIZE: columnWorkgroup }, libraries: columnLibraries.vec4 },
    scalar: { constants: { WORKGROUP_SIZE: columnWorkgroup }, libraries: columnLibraries.scalar },
  },
  dispatch: ({ columns, chunks }) => grid1d(columns * chunks, columnWorkgroup),
  cost: ({ rows, columns }) => ({ flops: 6 * rows * columns, bytes: 4 * rows * columns }),
});

const combineKernel = defineKernel({
  name: 'batchNormCombine',
  shader: wgsl.batchNormCombine,
  params: { rows: 'u32', channels: 'u32', chunkRows: 'u32', chunks: 'u32', eps: 'f32', momentum: 'f32' },
  bindings: ['read', 'write', 'write', 'write', 'write'],
  variants: rowVariants(['plain']),
  dispatch: ({ channels }, constants) => rowGrid(channels, constants),
  cost: ({ channels, chunks }) => ({ flops: 6 * channels * chunks, bytes: 8 * channels * chunks }),
});

/** Rows per invocation of the element-wise kernels. */
const rowsPerInvocation = 4;

function variants<F extends string>(
  forms: Readonly<Record<F, Readonly<Record<string, boolean>>>>,
): Readonly<Record<`${F}-${ColumnPlan['width']}`, Variant>> {
  const made: Record<string, Variant> = {};
  for (const [form, flags] of Object.entries<Readonly<Record<string, boolean>>>(forms)) {
    for (const width of ['vec4', 'scalar'] as const) {
      made[`${form}-${width}`] = {
        constants: { WORKGROUP_SIZE: columnWorkgroup, ROWS: rowsPerInvocation, ...flags },
        libraries: [...columnLibraries[width], wgsl.libStatsOfColumn],
      };
    }
  }
  return made as Readonly<Record<`${F}-${ColumnPlan['width']}`, Variant>>;
}

const applyKernel = defineKernel({
  name: 'batchNormApply',
  shader: wgsl.batchNormApply,
  params: { rows: 'u32', columns: 'u32', eps: 'f32' },
  bindings: ['read', 'read', 'read', 'read', 'read', 'read', 'write'],
  typed: [0, 5, 6],
  variants: variants({
    batch: { EVAL: false, RESIDUAL: false, RELU: false },
    batchRelu: { EVAL: false, RESIDUAL: false, RELU: true },
    batchResidual: { EVAL: false, RESIDUAL: true, RELU: false },
    batchResidualRelu: { EVAL: false, RESIDUAL: true, RELU: true },
    fixed: { EVAL: true, RESIDUAL: false, RELU: false },
    fixedRelu: { EVAL: true, RESIDUAL: false, RELU: true },
    fixedResidual: { EVAL: true, RESIDUAL: true, RELU: false },
    fixedResidualRelu: { EVAL: true, RESIDUAL: true, RELU: true },
  }),
  dispatch: ({ rows, columns }) => grid1d(columns * Math.ceil(rows / rowsPerInvocation), columnWorkgroup),
  cost: ({ rows, columns }) => ({ flops: 3 * rows * columns, bytes: 8 * rows * columns }),
});

const gradKernel = defineKernel({
  name: 'batchNormGrad',
  shader: wgsl.batchNormGrad,
  params: { rows: 'u32', columns: 'u32', eps: 'f32' },
  bindings: ['read', 'read', 'read', 'read', 'read', 'read', 'read', 'write'],
  typed: [0, 1, 7],
  variants: variants({
    batch: { EVAL: false, RELU: false },
    batchRelu: { EVAL: false, RELU: true },
    fixed: { EVAL: true, RELU: false },
    fixedRelu: { EVAL: true, RELU: true },
  }),
  dispatch: ({ rows, columns }) => grid1d(columns * Math.ceil(rows / rowsPerInvocation), columnWorkgroup),
  cost: ({ rows, columns }) => ({ flops: 5 * rows * columns, bytes: 12 * rows * columns }),
});

/** Running statistics of a batch norm, `[channels]` each; the variance is the unbiased one. */
export interface RunningStatistics {
  readonly runningMean: NDArray;
  readonly runningVar: NDArray;
}

/**
 * Mean and `1 / sqrt(biased variance + eps)` of each channel of the dense `x` `[..., channels]`.
 * Moves the running statistics towards the batch: `running = (1 - momentum) running + momentum batch`, in place.
 */
export function batchStatistics(
  x: NDArray,
  { runningMean, runningVar }: RunningStatistics,
  { eps, momentum }: { readonly eps: number; readonly momentum: number },
): NormStatistics {
  const { gpu } = x;
  const channels = x.shape.at(-1) ?? 1;
  const { width, columns, rows, chunkRows, chunks } = planColumns(gpu, x.size / channels, channels);
  const partial = NDArray.empty(gpu, [2, chunks, channels]);
  statsKernel.run(gpu, width, [x, partial], { rows, columns, chunkRows, chunks });
  const mean = NDArray.empty(gpu, [channels]);
  const spread = NDArray.empty(gpu, [channels]);
  combineKernel.run(
    gpu,
    `plain-${chooseRowForm(gpu, chunks, channels)}`,
    [partial, mean, spread, runningMean, runningVar],
    {
      rows,
      channels,
      chunkRows,
      chunks,
      eps,
      momentum,
    },
  );
  partial.dispose();
  return { mean, spread, eps, eval: false };
}

function layout(x: NDArray, statistics: NormStatistics) {
  const channels = x.shape.at(-1) ?? 1;
  const { width, columns, rows } = planColumns(x.gpu, x.size / channels, channels);
  const form: 'fixed' | 'batch' = statistics.eval ? 'fixed' : 'batch';
  return { form, width, params: { rows, columns, eps: statistics.eps } };
}

/** Weight and bias `[channels]` of a batch norm, and what its kernel does besides. */
export interface BatchNormParts {
  readonly weight: NDArray;
  readonly bias: NDArray;
  /** Added to the result, dense and of the shape of x. */
  readonly residual?: NDArray | undefined;
  /** Clip at 0 in the end. */
  readonly relu: boolean;
}

/** `(x - mean) * rstd * weight + bias (+ residual)` for dense arrays, with an optional ReLU. */
export function applyBatchNorm(x: NDArray, statistics: NormStatistics, parts: BatchNormParts): NDArray {
  const { weight, bias, residual, relu } = parts;
  const y = NDArray.empty(x.gpu, x.shape, x.dtype);
  const { form, width, params } = layout(x, statistics);
  applyKernel.run(
    x.gpu,
    `${form}${residual ? 'Residual' : ''}${relu ? 'Relu' : ''}-${width}`,
    // Without a residual its place is not read; x only fills it.
    [x, weight, statistics.mean, statistics.spread, bias, residual ?? x, y],
    params,
  );
  return y;
}

/**
 * Gradient of the input of a batch norm without residual.
 * @param sums `normGradSums` of the same arguments; not read when the statistics are fixed (`eval`).
 */
export function batchNormGrad(
  x: NDArray,
  dy: NDArray,
  statistics: NormStatistics,
  { weight, bias, relu }: BatchNormParts,
  sums: NDArray | undefined,
): NDArray {
  const dx = NDArray.empty(x.gpu, x.shape, x.dtype);
  const { form, width, params } = layout(x, statistics);
  gradKernel.run(
    x.gpu,
    `${form}${relu ? 'Relu' : ''}-${width}`,
    [x, dy, statistics.mean, statistics.spread, weight, bias, sums ?? weight, dx],
    params,
  );
  return dx;
}
