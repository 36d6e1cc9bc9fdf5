import { ShapeError } from '../gpu/errors.ts';
import { binary } from './binary.ts';
import { contiguous, expand } from './copy.ts';
import { defineKernel } from './define.ts';
import type { DType } from './dtype.ts';
import { requireFloat } from './dtype.ts';
import { finishGemm, gemmGrid, gemmOutput, gemmVariants } from './gemm.ts';
import type { NDArray, ResultTarget } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';
import { broadcastShapes, formatShape, numel } from './shape.ts';
import { planProduct } from './tuning/plans.ts';
import { type Multiply, repeatProduct } from './tuning/repeat.ts';

const matmulKernel = defineKernel({
  name: 'matmul',
  shader: wgsl.matmul,
  params: {
    rows: 'u32',
    cols: 'u32',
    depth: 'u32',
    strideA: 'u32',
    strideB: 'u32',
    splits: 'u32',
    splitDepth: 'u32',
    slices: 'u32',
  },
  bindings: ['read', 'read', 'read', 'write'],
  typed: [0, 1, 2, 3],
  variants: gemmVariants({
    nn: { A_ALONG_K: true, B_ALONG_K: false, HAS_BIAS: false },
    nnAdd: { A_ALONG_K: true, B_ALONG_K: false, HAS_BIAS: false, ACCUMULATE: true },
    nt: { A_ALONG_K: true, B_ALONG_K: true, HAS_BIAS: false },
    ntBias: { A_ALONG_K: true, B_ALONG_K: true, HAS_BIAS: true },
    tn: { A_ALONG_K: false, B_ALONG_K: false, HAS_BIAS: false },
    tnAdd: { A_ALONG_K: false, B_ALONG_K: false, HAS_BIAS: false, ACCUMULATE: true },
    tt: { A_ALONG_K: false, B_ALONG_K: true, HAS_BIAS: false },
  }),
  dispatch: ({ rows, cols, slices }, constants) => gemmGrid(rows, cols, slices, constants),
  cost: ({ rows, cols, depth, slices, splits }) => ({
    flops: 2 * rows * cols * depth * (slices / splits),
    bytes: 4 * (rows * depth + depth * cols + rows * cols) * (slices / splits),
  }),
});

export interface MatmulOptions {
  /** The stored array is the transpose (last two axes swapped) of the operand. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  /** `[N]`, added to every row; only with `transposeB` and two-dimensional B (a linear layer). */
  readonly bias?: NDArray | undefined;
  /** Of the result; that of A by default. */
  readonly dtype?: DType;
  /** Of the result's shape and dtype; the result is in it or, where that does not pay, in a new array as without it. */
  readonly target?: ResultTarget | undefined;
}

function batchOperand(x: NDArray, batch: readonly number[]): { array: NDArray; stride: number } {
  const own = x.shape.slice(0, -2);
  const elements = numel(x.shape.slice(-2));
  if (numel(own) === 1) return { array: contiguous(x), stride: 0 };
  if (numel(own) === numel(batch)) return { array: contiguous(x), stride: elements };
  return { array: contiguous(expand(x, [...batch, ...x.shape.slice(-2)])), stride: elements };
}

/** Apart from `matmul`: what is kept for tuning must not see its arrays. */
function multiplyWith(options: Omit<MatmulOptions, 'bias' | 'target'>): Multiply {
  return (a, b, bias, target) => matmul(a, b, { ...options, bias, target });
}

/**
 * Matrix product over the last two axes with broadcast batch axes:
 * `[..., M, K] x [..., K, N] -> [..., M, N]`, f32 accumulation.
 * @throws ShapeError if the inner or batch dimensions do not fit.
 */
export function matmul(a: NDArray, b: NDArray, options: MatmulOptions = {}): NDArray {
  const { transposeA = false, transposeB = false, bias, dtype = a.dtype, target } = options;
  requireFloat('matmul', a);
  requireFloat('matmul', b);
  if (a.rank < 2 || b.rank < 2) {
    throw new ShapeError(
      `matmul needs at least two dimensions, got ${formatShape(a.shape)} and ${formatShape(b.shape)}.`,
    );
  }
  const [rows = 0, depth = 0] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
  const [depthB = 0, cols = 0] = transposeB ? b.shape.slice(-2).reverse() : b.shape.slice(-2);
  if (depth !== depthB) {
    throw new ShapeError(
      `matmul: the inner dimensions differ, ${depth} in ${formatShape(a.shape)} and ${depthB} in ${formatShape(b.shape)}.`,
    );
  }
  const batch = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  // A shared right operand makes one tall product of all batches.
  const tall = numel(b.shape.slice(0, -2)) === 1 && !transposeA && numel(batch) > 1;
  const left = batchOperand(a, batch);
  const right = batchOperand(b, batch);
  const slices = tall ? 1 : numel(batch);
  const totalRows = tall ? rows * numel(batch) : rows;
  const form = `${transposeA ? 't' : 'n'}${transposeB ? 't' : 'n'}` as const;
  const alongRow = transposeA ? totalRows : depth;
  const loads = [alongRow, transposeB ? depth : cols, cols].every((size) => size % 4 === 0) ? 'vec4' : 'scalar';
  const sum = target?.accumulate ? target.array : undefined;
  const plan = planProduct(
    a.gpu,
    {
      kernel: 'matmul',
      form: `${form}${bias ? 'Bias' : ''}${sum ? 'Add' : ''}`,
      rows: totalRows,
      cols,
      depth,
      batch: slices,
      loads,
      dtypes: [a.dtype, b.dtype, dtype],
    },
    () => repeatProduct(multiplyWith({ transposeA, transposeB, dtype }), a, b, { bias, sum }),
  );
  const canAdd = form === 'nn' || form === 'tn';
  const output = gemmOutput(a.gpu, [...batch, rows, cols], plan, {
    dtype,
    target: canAdd || !target?.accumulate ? target : undefined,
    batch: slices,
  });
  const fused = bias && form === 'nt' && plan.splits === 1;
  if (bias && !fused && form !== 'nt') throw new ShapeError('matmul: a bias needs transposeB without transposeA.');
  matmulKernel.run(
    a.gpu,
    `${plan.core}-${loads}-${fused ? 'ntBias' : (`${form}${output.form}` as typeof form | 'nnAdd' | 'tnAdd')}`,
    [left.array, right.array, fused ? contiguous(bias) : left.array, output.written],
    {
      rows: totalRows,
      cols,
      depth,
      strideA: tall ? 0 : left.stride,
      strideB: right.stride,
      splits: plan.splits,
      splitDepth: plan.splitDepth,
      slices: slices * plan.splits,
    },
  );
  const result = finishGemm(output, slices, plan.splits);
  return bias && !fused ? addBias(result, bias) : result;
}

function addBias(x: NDArray, bias: NDArray): NDArray {
  const sum = binary('add', x, bias);
  x.dispose();
  return sum;
}
