import { defineKernel, grid1d } from './define.ts';
import { matmul } from './matmul.ts';
import { NDArray } from './ndarray.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';

const workgroup = 64;
const pairVariants = { plain: { constants: { WORKGROUP_SIZE: workgroup }, libraries: [wgsl.libGrid] } } as const;

const normKernel = defineKernel({
  name: 'rowNorm',
  shader: wgsl.rowNorm,
  params: { rows: 'u32', columns: 'u32' },
  bindings: ['read', 'write'],
  variants: {
    ...rowVariants(['vec4'], [wgsl.libElementVec4, wgsl.libSumVec4]),
    ...rowVariants(['scalar'], [wgsl.libElementScalar, wgsl.libSumScalar]),
  },
  dispatch: ({ rows }, constants) => rowGrid(rows, constants),
  cost: ({ rows, columns }) => ({ flops: 2 * rows * columns, bytes: 4 * rows * columns }),
});

const pairsKernel = defineKernel({
  name: 'cosinePairs',
  shader: wgsl.cosinePairs,
  params: { count: 'u32', cols: 'u32', eps: 'f32' },
  bindings: ['read', 'read', 'read', 'write'],
  variants: pairVariants,
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count }) => ({ flops: 3 * count, bytes: 8 * count }),
});

const gradKernel = defineKernel({
  name: 'cosinePairsGrad',
  shader: wgsl.cosinePairsGrad,
  params: { count: 'u32', cols: 'u32', eps: 'f32' },
  bindings: ['read', 'read', 'read', 'read', 'write', 'write', 'write'],
  variants: pairVariants,
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count }) => ({ flops: 8 * count, bytes: 20 * count }),
});

/** Euclidean norms `[...]` of the rows of the dense `x` `[..., width]`. */
export function rowNorm(x: NDArray): NDArray {
  const size = x.shape.at(-1) ?? 1;
  const width = size % 4 === 0 ? 'vec4' : 'scalar';
  const columns = width === 'vec4' ? size / 4 : size;
  const y = NDArray.empty(x.gpu, x.shape.slice(0, -1));
  normKernel.run(x.gpu, `${width}-${chooseRowForm(x.gpu, columns, y.size)}`, [x, y], { rows: y.size, columns });
  return y;
}

export interface CosinePairs {
  /** `[N, K]` */
  readonly y: NDArray;
  /** `[N]` and `[K]`, for the gradients. */
  readonly normA: NDArray;
  readonly normB: NDArray;
}

/** `a_i . b_j / max(|a_i| |b_j|, eps)` for the rows of the dense `a` `[N, width]` and `b` `[K, width]`. */
export function cosinePairs(a: NDArray, b: NDArray, eps: number): CosinePairs {
  const [normA, normB] = [rowNorm(a), rowNorm(b)];
  const dots = matmul(a, b, { transposeB: true });
  const y = NDArray.empty(a.gpu, dots.shape);
  pairsKernel.run(a.gpu, 'plain', [dots, normA, normB, y], { count: y.size, cols: normB.size, eps });
  dots.dispose();
  return { y, normA, normB };
}

/** Coefficients `[N, K]` of the gradients of `cosinePairs`: see `cosinePairsGrad.wgsl`. */
export function cosinePairsGrad({ y, normA, normB }: CosinePairs, dy: NDArray, eps: number) {
  const across = NDArray.empty(y.gpu, y.shape);
  const alongA = NDArray.empty(y.gpu, y.shape);
  const alongB = NDArray.empty(y.gpu, y.shape);
  const params = { count: y.size, cols: normB.size, eps };
  gradKernel.run(y.gpu, 'plain', [y, dy, normA, normB, across, alongA, alongB], params);
  return { across, alongA, alongB };
}
