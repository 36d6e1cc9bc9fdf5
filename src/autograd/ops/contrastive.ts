import { ShapeError } from '../../gpu/errors.ts';
import { fill } from '../../kernels/fill.ts';
import type { NDArray } from '../../kernels/ndarray.ts';
import { formatShape } from '../../kernels/shape.ts';
import { Tensor, tensor } from '../tensor.ts';
import { pairwiseCosine } from './cosine.ts';
import { crossEntropy } from './crossEntropy.ts';
import { div, log, maximum, mul, scale, sqrt, square, sub } from './elementwise.ts';
import { l2Normalize } from './l2Normalize.ts';
import { matmul } from './matmul.ts';
import { logSumExp, sum } from './reductions.ts';
import { permute, reshape } from './shape.ts';
import { softmax } from './softmax.ts';
import { where } from './where.ts';

export interface GlobalContrastOptions {
  /** Temperature of the cross entropy. */
  readonly tau1: number;
  /** Least product of norms in a cosine. */
  readonly eps: number;
  /** i32 `[batch, batch]`: pairs with 1 are left out of the negatives. */
  readonly duplicates?: Tensor;
}

export interface LocalContrastOptions extends GlobalContrastOptions {
  /** Temperature of the attention over regions. */
  readonly tau2: number;
  /** Temperature of the aggregation over units. */
  readonly tau3: number;
  readonly attention: 'cosine' | 'dot';
  /** `regions`: softmax over regions; `sentences_regions`: over the units of a report first. */
  readonly normalization: 'regions' | 'sentences_regions';
  /** `mean` takes `tau3 log len` off the log-sum-exp. */
  readonly aggregation: 'sum' | 'mean';
}

export interface ContrastResult {
  /** `[batch image, batch report]` */
  readonly similarity: Tensor;
  /** Image to reports, then report to images; scalars. */
  readonly lossVt: Tensor;
  readonly lossTv: Tensor;
}

export interface LocalContrastResult extends ContrastResult {
  /** Cosine of each unit with the regions it attends to, `[batch image, batch report, units]`; 0 where masked. */
  readonly cosine: Tensor;
  /** Attention over regions, `[batch image, batch report, units, regions]`; 0 where masked. */
  readonly attention: Tensor;
}

/** Stands for minus infinity: WGSL may assume that infinities do not occur. */
const never = -1e30;

function constant(like: Tensor, value: number): Tensor {
  return new Tensor(fill(like.gpu, [1], value));
}

/** Length along the last axis, kept with size 1; the summand keeps the gradient of a zero vector finite. */
function length(x: Tensor): Tensor {
  return sqrt(scale(sum(square(x), [-1], true), 1, 1e-30));
}

/** Cross entropy of the rows and of the columns of `similarity / tau1`, with the diagonal as the target: (1), (2). */
function pairLosses(similarity: Tensor, { tau1, duplicates }: GlobalContrastOptions): ContrastResult {
  const [n = 0] = similarity.shape;
  const diagonal = tensor(
    similarity.gpu,
    Int32Array.from({ length: n }, (_, i) => i),
    [n],
    { dtype: 'i32' },
  );
  const scaled = scale(similarity, 1 / tau1);
  const logits = duplicates ? where(duplicates, constant(similarity, never), scaled) : scaled;
  return {
    similarity,
    lossVt: crossEntropy(logits, diagonal),
    lossTv: crossEntropy(permute(logits, [1, 0]), diagonal),
  };
}

/** Contrast of whole images and reports `[batch, width]` by cosines: equations (1) and (2). */
export function globalContrast(image: Tensor, report: Tensor, options: GlobalContrastOptions): ContrastResult {
  return pairLosses(pairwiseCosine(image, report, options.eps), options);
}

/**
 * Contrast of image regions `V [batch, regions, width]` with text units `T [batch, units, width]`, `mask` i32
 * `[batch, units]` (0 = no unit; such rows have no influence): equations (3) to (7).
 * @throws ShapeError if batch or width differ.
 */
export function localContrast(V: Tensor, T: Tensor, mask: Tensor, options: LocalContrastOptions): LocalContrastResult {
  const { tau2, tau3, eps } = options;
  const [batch = 0, regions = 0, width = 0] = V.shape;
  const [texts = 0, units = 0, textWidth = 0] = T.shape;
  if (texts !== batch || textWidth !== width) {
    throw new ShapeError(`localContrast: regions ${formatShape(V.shape)} do not fit units ${formatShape(T.shape)}.`);
  }
  const zero = constant(V, 0);
  const present = reshape(mask, [1, batch, units]);
  const clean = where(reshape(mask, [batch, units, 1]), T, zero);
  const isCosine = options.attention === 'cosine';
  const [v, t] = isCosine ? [l2Normalize(V, -1, eps), l2Normalize(clean, -1, eps)] : [V, clean];
  // (3): every unit with every region of every image.
  const flat = matmul(reshape(t, [batch * units, width]), reshape(v, [batch * regions, width]), { transposeB: true });
  const scores = permute(reshape(flat, [batch, units, batch, regions]), [2, 0, 1, 3]);
  const overUnits =
    options.normalization === 'sentences_regions'
      ? softmax(where(reshape(mask, [1, batch, units, 1]), scores, constant(V, never)), 2)
      : scores;
  // (4): attention over regions, and what it sees.
  const attention = softmax(scale(overUnits, 1 / tau2), -1);
  const seen = matmul(reshape(attention, [batch, batch * units, regions]), V);
  const text = reshape(clean, [1, batch * units, width]);
  const product = sum(mul(seen, text), [-1], true);
  const lengths = maximum(mul(length(seen), length(text)), constant(V, eps));
  const cosine = where(present, reshape(div(product, lengths), [batch, batch, units]), zero);
  // (5): soft maximum over the units of a report.
  const pooled = scale(logSumExp(where(present, scale(cosine, 1 / tau3), constant(V, never)), [2]), tau3);
  const count = sum(where(mask, constant(V, 1), zero), [1]);
  const similarity =
    options.aggregation === 'mean' ? sub(pooled, scale(log(reshape(count, [1, batch])), tau3)) : pooled;
  const shown = where(reshape(mask, [1, batch, units, 1]), attention, zero);
  return { ...pairLosses(similarity, options), cosine, attention: shown };
}

/** Cosine of every region `[regions, width]` with a phrase `[width]`, without gradients. */
export function phraseSimilarity(regions: NDArray, phrase: NDArray, eps = 1e-8): NDArray {
  const [width = 0] = phrase.shape;
  const cosines = pairwiseCosine(new Tensor(regions), new Tensor(phrase.view([1, width], [width, 1])), eps).array;
  return cosines.view([cosines.size], [1]);
}
