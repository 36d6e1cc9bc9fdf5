import { ShapeError } from '../../gpu/errors.ts';
import { binary } from '../../kernels/binary.ts';
import { contiguous } from '../../kernels/copy.ts';
import { cosineRows, cosineRowsGrad, repeatedRows } from '../../kernels/cosine.ts';
import { cosinePairs, cosinePairsGrad } from '../../kernels/cosinePairs.ts';
import { matmul } from '../../kernels/matmul.ts';
import { reduce, sumTo } from '../../kernels/reduce.ts';
import { broadcastShapes, formatShape } from '../../kernels/shape.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * `a . b / max(|a| |b|, eps)` along the last axis, the others broadcast: `[..., width] x [..., width] -> [...]`.
 * With a zero vector the cosine is 0; where `|a| |b|` is at most `eps` the divisor is constant in the gradient.
 * @throws ShapeError if the widths differ or the other axes cannot be broadcast.
 */
export function cosineSimilarity(a: Tensor, b: Tensor, eps = 1e-8): Tensor {
  const width = a.shape.at(-1) ?? 0;
  if (width === 0 || width !== b.shape.at(-1)) {
    throw new ShapeError(
      `cosineSimilarity: the last axes of ${formatShape(a.shape)} and ${formatShape(b.shape)} must be equal, not empty.`,
    );
  }
  const leading = broadcastShapes('cosineSimilarity', a.shape.slice(0, -1), b.shape.slice(0, -1));
  const operands = { a: repeatedRows(a.array, leading), b: repeatedRows(b.array, leading), leading };
  return record('cosineSimilarity', [a, b], cosineRows(operands, eps), (dy, [needA, needB]) => {
    const [da, db] = cosineRowsGrad(operands, contiguous(dy), eps);
    return [needA ? sumTo(da, a.shape) : undefined, needB ? sumTo(db, b.shape) : undefined];
  });
}

/**
 * Cosine of each row of `a` `[N, width]` with each row of `b` `[K, width]`: `[N, K]`, with the rule of
 * `cosineSimilarity` for small norms.
 * @throws ShapeError if the arrays are not two-dimensional, are empty, or their widths differ.
 */
export function pairwiseCosine(a: Tensor, b: Tensor, eps = 1e-8): Tensor {
  if (a.rank !== 2 || b.rank !== 2 || a.shape[1] !== b.shape[1] || a.size === 0 || b.size === 0) {
    throw new ShapeError(
      `pairwiseCosine: expected [N, width] and [K, width], got ${formatShape(a.shape)} and ${formatShape(b.shape)}.`,
    );
  }
  const [rowsA, rowsB] = [contiguous(a.array), contiguous(b.array)];
  const pairs = cosinePairs(rowsA, rowsB, eps);
  return record('pairwiseCosine', [a, b], pairs.y, (dy, [needA, needB]) => {
    const { across, alongA, alongB } = cosinePairsGrad(pairs, contiguous(dy), eps);
    const gradA = () => binary('sub', matmul(across, rowsB), binary('mul', rowsA, reduce('sum', alongA, [1], true)));
    const gradB = () => {
      const along = binary('mul', rowsB, reduce('sum', alongB, [0]).view([rowsB.shape[0] ?? 1, 1], [1, 1]));
      return binary('sub', matmul(across, rowsA, { transposeA: true }), along);
    };
    return [needA ? gradA() : undefined, needB ? gradB() : undefined];
  });
}
