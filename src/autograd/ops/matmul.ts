import { reshape } from '../../kernels/copy.ts';
import { matmul as matmulArrays } from '../../kernels/matmul.ts';
import type { NDArray } from '../../kernels/ndarray.ts';
import { sumRows, sumTo } from '../../kernels/reduce.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/** Operands of `matmul` that are read with their last two axes exchanged; nothing is copied for it. */
export interface TransposeOptions {
  /** The stored tensor is the transpose (last two axes swapped) of the operand. */
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
}

/**
 * Matrix product over the last two axes, batch axes broadcast: `[..., M, K] x [..., K, N] -> [..., M, N]`.
 * @throws ShapeError if inner or batch dimensions do not fit.
 */
export function matmul(a: Tensor, b: Tensor, options: TransposeOptions = {}): Tensor {
  const { transposeA = false, transposeB = false } = options;
  // With C = A B: dA = dC B^T and dB = A^T dC; a transposed operand transposes its gradient.
  const gradA = (dy: NDArray): NDArray =>
    transposeA
      ? matmulArrays(b.array, dy, { transposeA: transposeB, transposeB: true })
      : matmulArrays(dy, b.array, { transposeB: !transposeB });
  const gradB = (dy: NDArray): NDArray =>
    transposeB
      ? matmulArrays(dy, a.array, { transposeA: true, transposeB: transposeA })
      : matmulArrays(a.array, dy, { transposeA: !transposeA });
  return record('matmul', [a, b], matmulArrays(a.array, b.array, options), (dy, [needA, needB]) => [
    needA ? sumTo(gradA(dy), a.shape) : undefined,
    needB ? sumTo(gradB(dy), b.shape) : undefined,
  ]);
}

/** `x w^T + bias` with `x [..., in]`, `w [out, in]`, `bias [out]`. @throws ShapeError if `in` differs. */
export function linear(x: Tensor, w: Tensor, bias?: Tensor): Tensor {
  const rows = (array: NDArray): NDArray => reshape(array, [-1, array.shape.at(-1) ?? 1]);
  const y = matmulArrays(x.array, w.array, { transposeB: true, bias: bias?.array });
  return record('linear', bias ? [x, w, bias] : [x, w], y, (dy, [needX, needW, needBias], [intoX, intoW, intoBias]) => [
    needX ? matmulArrays(dy, w.array, { target: intoX }) : undefined,
    needW ? matmulArrays(rows(dy), rows(x.array), { transposeA: true, dtype: w.dtype, target: intoW }) : undefined,
    needBias ? sumRows(rows(dy), intoBias) : undefined,
  ]);
}
