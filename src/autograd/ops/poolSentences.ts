import type { SentenceReduction } from '../../kernels/poolSentences.ts';
import { poolSentences as poolSentencesArrays, poolSentencesGrad } from '../../kernels/poolSentences.ts';
import { recordMany } from '../tape.ts';
import { Tensor } from '../tensor.ts';

/** How `poolSentences` joins tokens. */
export interface PoolSentencesOptions {
  /** `sum` (the paper's section 2.2) or `mean` of a sentence's tokens; `sum` if left out. */
  readonly reduction?: SentenceReduction;
}

/** What `poolSentences` gives. */
export interface SentenceEmbeddings {
  /** `[B, P, D]`; rows of sentences without tokens are zero. */
  readonly sentences: Tensor;
  /** i32 `[B, P]`, 1 where the sentence has a token. */
  readonly mask: Tensor;
  /** `[B, D]`, the mean over the sentences that exist; zero for a report without any. */
  readonly report: Tensor;
}

/**
 * Sentence embeddings as sums of their token vectors, report embeddings as means of their sentences. With word numbers
 * for `ids` the same gives word embeddings.
 * @param hidden token vectors `[B, S, D]`
 * @param ids i32 `[B, S]`, the sentence of each token; tokens with an id outside `[0, maxSentences)` (-1 for none) are left out
 * @throws ShapeError if shapes or dtypes do not fit.
 */
export function poolSentences(
  hidden: Tensor,
  ids: Tensor,
  maxSentences: number,
  options: PoolSentencesOptions = {},
): SentenceEmbeddings {
  const pooled = poolSentencesArrays(hidden.array, ids.array, maxSentences, options.reduction ?? 'sum');
  const [sentences, report] = recordMany(
    'poolSentences',
    [hidden],
    [pooled.sentences, pooled.report],
    ([dSentences, dReport]) => [poolSentencesGrad(pooled, ids.array, dSentences, dReport)],
  );
  if (!sentences || !report) throw new Error('poolSentences has no output.');
  return { sentences, mask: new Tensor(pooled.mask), report };
}
