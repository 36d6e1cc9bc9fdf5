import { defineKernel } from './define.ts';
import { NDArray } from './ndarray.ts';
import type { NormStatistics } from './normGradSums.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';

/** One or four floats per load. */
const variants = {
  ...rowVariants(['vec4'], [wgsl.libElementVec4, wgsl.libSumVec4]),
  ...rowVariants(['scalar'], [wgsl.libElementScalar, wgsl.libSumScalar]),
};

const layerNormKernel = defineKernel({
  name: 'layerNorm',
  shader: wgsl.layerNorm,
  params: { rows: 'u32', columns: 'u32', eps: 'f32' },
  bindings: ['read', 'read', 'read', 'write', 'write', 'write'],
  typed: [0, 3],
  variants,
  dispatch: ({ rows }, constants) => rowGrid(rows, constants),
  cost: ({ rows, columns }) => ({ flops: 8 * rows * columns, bytes: 8 * rows * columns }),
});

const gradKernel = defineKernel({
  name: 'layerNormGrad',
  shader: wgsl.layerNormGrad,
  params: { rows: 'u32', columns: 'u32' },
  bindings: ['read', 'read', 'read', 'read', 'read', 'write'],
  typed: [0, 1, 5],
  variants,
  dispatch: ({ rows }, constants) => rowGrid(rows, constants),
  cost: ({ rows, columns }) => ({ flops: 12 * rows * columns, bytes: 12 * rows * columns }),
});

function layout(x: NDArray) {
  const size = x.shape.at(-1) ?? 1;
  const width = size % 4 === 0 ? 'vec4' : 'scalar';
  const columns = width === 'vec4' ? size / 4 : size;
  const rows = x.size / size;
  return { variant: `${width}-${chooseRowForm(x.gpu, columns, rows)}`, params: { rows, columns } } as const;
}

export interface LayerNormResult {
  readonly y: NDArray;
  /** Of each row, for the gradients. */
  readonly statistics: NormStatistics;
}

/** Normalises the rows of the dense `x` `[..., width]` with their mean and biased variance; `weight`, `bias` `[width]`. */
export function layerNorm(x: NDArray, weight: NDArray, bias: NDArray, eps: number): LayerNormResult {
  const { variant, params } = layout(x);
  const y = NDArray.empty(x.gpu, x.shape, x.dtype);
  const mean = NDArray.empty(x.gpu, [params.rows]);
  const spread = NDArray.empty(x.gpu, [params.rows]);
  layerNormKernel.run(x.gpu, variant, [x, weight, bias, y, mean, spread], { ...params, eps });
  return { y, statistics: { mean, spread, eps, eval: false } };
}

/** Gradient of the input of a layer norm, dense arrays. */
export function layerNormGrad(x: NDArray, dy: NDArray, statistics: NormStatistics, weight: NDArray): NDArray {
  const { variant, params } = layout(x);
  const dx = NDArray.empty(x.gpu, x.shape, x.dtype);
  gradKernel.run(x.gpu, variant, [x, dy, statistics.mean, statistics.spread, weight, dx], params);
  return dx;
}
