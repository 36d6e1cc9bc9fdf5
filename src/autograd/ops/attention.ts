import { checkAttention, fusedAttention, fusedAttentionGrad, prefersFusedAttention } from '../../kernels/attention.ts';
import { binary } from '../../kernels/binary.ts';
import type { DropoutOptions } from '../../kernels/dropout.ts';
import { dropout } from '../../kernels/dropout.ts';
import { maskedSoftmax, maskedSoftmaxGrad } from '../../kernels/maskedSoftmax.ts';
import { matmul } from '../../kernels/matmul.ts';
import type { NDArray } from '../../kernels/ndarray.ts';
import { record, recordMany } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/** How `attention` scales scores, and what it drops. */
export interface AttentionOptions {
  /** Drops and rescales probabilities, the same ones in both forms. */
  readonly dropout?: DropoutOptions | undefined;
  /** `fused` never stores the probabilities; `unfused` is made of matrix products. The device decides if left out. */
  readonly form?: 'fused' | 'unfused' | undefined;
}

/**
 * Scaled dot product attention `softmax(q k^T / sqrt(d)) v` (Vaswani et al., arXiv 1706.03762, equation 1).
 * @param q queries `[B, H, S, d]`; keys `k` and values `v` alike
 * @param mask i32 `[B, S]`, 0 for keys that get the weight 0; a query whose keys are all masked gives zeros
 * @returns `[B, H, S, d]`
 * @throws ShapeError if shapes or dtypes do not fit; RangeError for a dropout probability outside [0, 1).
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, mask?: Tensor, options: AttentionOptions = {}): Tensor {
  checkAttention(q.array, k.array, v.array, mask?.array);
  const drop = options.dropout && options.dropout.p !== 0 ? options.dropout : undefined;
  const form = options.form ?? (prefersFusedAttention(q.gpu, q.shape[3] ?? 0) ? 'fused' : 'unfused');
  if (form === 'unfused') return unfused(q, k, v, mask, drop).output;
  const run = fusedAttention(q.array, k.array, v.array, mask?.array, drop);
  return record('attention', [q, k, v], run.output, (dy) => {
    const { dq, dk, dv } = fusedAttentionGrad(run, dy);
    return [dq, dk, dv];
  });
}

/** What `attentionWithProbabilities` gives. */
export interface AttentionWithProbabilities {
  /** `[B, H, S, d]` */
  readonly output: Tensor;
  /** `[B, H, S, S]`, one row per query, before dropout; zero for masked keys. */
  readonly probabilities: Tensor;
}

/**
 * The same attention from matrix products and a softmax, which keeps the probabilities. Both results are differentiable.
 * @throws ShapeError if shapes or dtypes do not fit.
 */
export function attentionWithProbabilities(q: Tensor, k: Tensor, v: Tensor, mask?: Tensor): AttentionWithProbabilities {
  checkAttention(q.array, k.array, v.array, mask?.array);
  return unfused(q, k, v, mask, undefined);
}

function unfused(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  mask: Tensor | undefined,
  drop: DropoutOptions | undefined,
): AttentionWithProbabilities {
  const scale = 1 / Math.sqrt(q.shape[3] ?? 1);
  // The mask is a function of element and seed: applied to the gradient it gives the gradient.
  const dropped = (x: NDArray): NDArray => (drop ? dropout(x, drop) : x);
  const scores = matmul(q.array, k.array, { transposeB: true });
  const p = maskedSoftmax(scores, mask?.array, scale);
  scores.dispose();
  const kept = dropped(p);
  const y = matmul(kept, v.array);
  if (kept !== p) kept.dispose();
  const [output, probabilities] = recordMany(
    'attention',
    [q, k, v],
    [y, p],
    ([dy, upstream], [needQ, needK, needV]) => {
      const fromOutput = dy && dropped(matmul(dy, v.array, { transposeB: true }));
      const dp = fromOutput && upstream ? binary('add', fromOutput, upstream) : (fromOutput ?? upstream);
      const dScores = dp && maskedSoftmaxGrad(p, dp, scale);
      return [
        needQ && dScores ? matmul(dScores, k.array) : undefined,
        needK && dScores ? matmul(dScores, q.array, { transposeA: true }) : undefined,
        needV && dy ? matmul(dropped(p), dy, { transposeA: true }) : undefined,
      ];
    },
  );
  if (!output || !probabilities) throw new Error('attention has no output.');
  return { output, probabilities };
}
