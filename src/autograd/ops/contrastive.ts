import { ShapeError } from '../../gpu/errors.ts';
import { checkDuplicates, contrastLoss, contrastLossGrad } from '../../kernels/contrastLoss.ts';
import { reshape } from '../../kernels/copy.ts';
import type { LocalAttentionOptions } from '../../kernels/localContrast.ts';
import { localCosines } from '../../kernels/localContrast.ts';
import type { NDArray } from '../../kernels/ndarray.ts';
import type { SentenceAggregation } from '../../kernels/sentencePooling.ts';
import { poolCosines, poolCosinesGrad } from '../../kernels/sentencePooling.ts';
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { recordMany } from '../tape.ts';
import { Tensor } from '../tensor.ts';
import { pairwiseCosine } from './cosine.ts';

/** Smallest product of norms in a cosine. */
const defaultEps = 1e-8;

/** Temperature of `globalContrast`, and which pairs it leaves out. */
export interface GlobalContrastOptions {
  /** Temperature of the softmax over the batch; 0.1 if left out. */
  readonly tau1?: number;
  readonly eps?: number;
  /**
   * Equal reports, which are no negatives of each other and are left out of both softmaxes: i32 `[B]`, the same key for
   * equal reports, or i32 `[B, B]`, 1 for pairs of equal reports (the diagonal is not looked at).
   */
  readonly duplicates?: Tensor | undefined;
}

/** What `globalContrast` gives. */
export interface GlobalContrast {
  /** Cosines of images (rows) and reports (columns), `[B, B]`. */
  readonly similarity: Tensor;
  /** Scalar: mean cross entropy of the rows, each image against all reports. */
  readonly lossVt: Tensor;
  /** Scalar: mean cross entropy of the columns, each report against all images. */
  readonly lossTv: Tensor;
}

/**
 * Contrast of whole images and whole reports (equations 1 and 2, with cosines). Every result is differentiable. With a
 * batch of one the losses and their gradients are exactly 0.
 * @param image `[B, D]`
 * @param report `[B, D]`
 * @throws ShapeError if shapes do not fit or the batch is empty.
 */
export function globalContrast(image: Tensor, report: Tensor, options: GlobalContrastOptions = {}): GlobalContrast {
  const { tau1 = 0.1, eps = defaultEps, duplicates } = options;
  if (image.rank !== 2 || !sameShape(image.shape, report.shape) || image.size === 0) {
    throw new ShapeError(
      `globalContrast needs images and reports of one shape [B, D], got ${formatShape(image.shape)} and ` +
        `${formatShape(report.shape)}.`,
    );
  }
  checkTemperatures({ tau1 });
  checkDuplicates(duplicates?.array, image.shape[0] ?? 0);
  const similarity = pairwiseCosine(image, report, eps);
  return { similarity, ...contrastLosses(similarity, tau1, duplicates) };
}

/** Cross entropies of the rows and columns of similarities `[B, B]` against the diagonal. */
function contrastLosses(
  similarity: Tensor,
  tau1: number,
  duplicates: Tensor | undefined,
): { readonly lossVt: Tensor; readonly lossTv: Tensor } {
  const loss = contrastLoss(similarity.array, tau1, duplicates?.array);
  const [lossVt, lossTv] = recordMany('contrastLoss', [similarity], [loss.lossVt, loss.lossTv], ([dVt, dTv]) => [
    contrastLossGrad(loss, dVt, dTv),
  ]);
  if (!lossVt || !lossTv) throw new Error('contrastLoss has no output.');
  return { lossVt, lossTv };
}

/** Temperatures of `localContrast`, how it adds up, and which pairs it leaves out. */
export interface LocalContrastOptions extends Pick<LocalAttentionOptions, 'reportsPerTile' | 'form'> {
  /** Temperatures of the softmax over the batch (0.1), of the attention (0.1) and of the sum over sentences (0.2). */
  readonly tau1?: number;
  readonly tau2?: number;
  readonly tau3?: number;
  /** Scores between regions and sentences: cosines (default), or dot products as equation 3 prints them. */
  readonly attention?: 'cosine' | 'dot';
  /** Softmax over regions (default), or over a report's sentences first and then over regions, as GLoRIA's code does. */
  readonly normalization?: 'regions' | 'sentences_regions';
  /** `sum` over sentences as printed (default), or `mean`, which takes the advantage of long reports out. */
  readonly aggregation?: SentenceAggregation;
  readonly eps?: number;
  /**
   * Equal reports, which are no negatives of each other and are left out of both softmaxes: i32 `[B]`, the same key for
   * equal reports, or i32 `[B, B]`, 1 for pairs of equal reports (the diagonal is not looked at).
   */
  readonly duplicates?: Tensor | undefined;
  /** Return the attention as well: `[B, B, P, M]`, which has to fit into one binding. */
  readonly keepAttention?: boolean;
}

/** What `localContrast` gives. */
export interface LocalContrast {
  /** `[B, B, P]`: cosine of sentence p of report k with what it attends to in image i; 0 for padded sentences. */
  readonly cosine: Tensor;
  /** Z of equation 5, `[B, B]`: images (rows) and reports (columns). */
  readonly similarity: Tensor;
  /** Scalar: mean cross entropy of the rows, each image against all reports (equation 6). */
  readonly lossVt: Tensor;
  /** Scalar: mean cross entropy of the columns, each report against all images (equation 7). */
  readonly lossTv: Tensor;
  /** `[B, B, P, M]`, 0 for padded sentences, without gradient; only with `keepAttention`. */
  readonly attention: Tensor | undefined;
}

/**
 * Contrast of image regions and sentences (equations 3 to 7): each sentence attends to the regions of each image, its
 * cosine with the attended regions is pooled over the report, and the pooled similarities are contrasted over the batch.
 * Losses, similarities and cosines are differentiable. With a batch of one the losses and their gradients are exactly 0.
 *
 * Attended regions are weighted sums of `v` as it is; for sums of unit vectors normalise `v` and `t` first.
 * @param v regions `[B, M, D]`
 * @param t sentences `[B, P, D]`; what padded rows hold has no influence, their gradient is 0
 * @param mask i32 `[B, P]`, 1 for real sentences
 * @throws ShapeError if shapes or dtypes do not fit.
 */
export function localContrast(
  v: Tensor,
  t: Tensor,
  mask: Tensor,
  options: LocalContrastOptions & { readonly keepAttention: true },
): LocalContrast & { readonly attention: Tensor };
export function localContrast(v: Tensor, t: Tensor, mask: Tensor, options?: LocalContrastOptions): LocalContrast;
export function localContrast(v: Tensor, t: Tensor, mask: Tensor, options: LocalContrastOptions = {}): LocalContrast {
  const { tau1 = 0.1, tau2 = 0.1, tau3 = 0.2, eps = defaultEps, aggregation = 'sum', duplicates } = options;
  checkTemperatures({ tau1, tau2, tau3 });
  checkDuplicates(duplicates?.array, v.shape[0] ?? 0);
  const local = localCosines(
    v.array,
    t.array,
    mask.array,
    {
      scores: options.attention ?? 'cosine',
      normalization: options.normalization ?? 'regions',
      tau2,
      eps,
      reportsPerTile: options.reportsPerTile,
      form: options.form,
    },
    options.keepAttention ?? false,
  );
  const [cosine, similarity] = recordMany(
    'localContrast',
    [v, t],
    [local.cosine, poolCosines(local.cosine, local.mask, aggregation, tau3)],
    ([dCosine, dSimilarity]) => {
      const { dV, dT } = local.backward(poolCosinesGrad(local, dSimilarity, dCosine, { tau3, eps }));
      return [dV, dT];
    },
  );
  if (!cosine || !similarity) throw new Error('localContrast has no output.');
  const attention = local.attention && new Tensor(local.attention);
  return { cosine, similarity, ...contrastLosses(similarity, tau1, duplicates), attention };
}

/**
 * Cosine of every region with a phrase: the raw localization map, without gradient.
 * @param regions `[M, D]`
 * @param phrase `[D]`
 * @returns `[M]`
 * @throws ShapeError if shapes do not fit.
 */
export function phraseSimilarity(regions: NDArray, phrase: NDArray, eps = defaultEps): NDArray {
  if (regions.rank !== 2 || !sameShape(phrase.shape, regions.shape.slice(1))) {
    throw new ShapeError(
      `phraseSimilarity needs regions [M, D] and a phrase [D], got ${formatShape(regions.shape)} and ` +
        `${formatShape(phrase.shape)}.`,
    );
  }
  const row = reshape(phrase, [1, phrase.size]);
  return reshape(pairwiseCosine(new Tensor(regions), new Tensor(row), eps).array, [regions.shape[0] ?? 0]);
}

function checkTemperatures(temperatures: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(temperatures)) {
    if (!(value > 0 && Number.isFinite(value))) {
      throw new RangeError(`The temperature ${name} has to be a positive number, got ${value}.`);
    }
  }
}
