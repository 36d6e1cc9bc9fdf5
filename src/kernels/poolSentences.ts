import { ShapeError } from '../gpu/errors.ts';
import { contiguous } from './copy.ts';
import { defineKernel, grid1d } from './define.ts';
import { elementWidth, elementwiseVariants, elementwiseWorkgroup } from './elementwise.ts';
import { fill } from './fill.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';
import { formatShape } from './shape.ts';

/** How the tokens of a sentence are joined: the paper sums them. */
export type SentenceReduction = 'sum' | 'mean';

const weightsWorkgroup = 64;

const weightsVariant = (mean: boolean) =>
  ({ constants: { WORKGROUP_SIZE: weightsWorkgroup, MEAN: mean }, libraries: [wgsl.libGrid] }) as const;

const weightsKernel = defineKernel({
  name: 'sentenceWeights',
  shader: wgsl.sentenceWeights,
  params: { reports: 'u32', tokens: 'u32', sentences: 'u32' },
  bindings: ['read', 'write', 'write', 'write'],
  variants: { sum: weightsVariant(false), mean: weightsVariant(true) },
  dispatch: ({ reports }) => grid1d(reports, weightsWorkgroup),
  cost: ({ reports, tokens, sentences }) => ({ flops: 0, bytes: 4 * reports * (tokens + 2 * sentences + 1) }),
});

const params = { reports: 'u32', tokens: 'u32', sentences: 'u32', width: 'u32' } as const;

const poolKernel = defineKernel({
  name: 'poolSentences',
  shader: wgsl.poolSentences,
  params,
  bindings: ['read', 'read', 'read', 'read', 'write', 'write'],
  variants: elementwiseVariants(['pool']),
  dispatch: ({ reports, width }) => grid1d(reports * width, elementwiseWorkgroup),
  cost: ({ reports, tokens, sentences, width }) => ({
    flops: reports * tokens * width,
    bytes: 4 * reports * width * (tokens + sentences + 1),
  }),
});

const poolGradKernel = defineKernel({
  name: 'poolSentencesGrad',
  shader: wgsl.poolSentencesGrad,
  params,
  bindings: ['read', 'read', 'read', 'read', 'read', 'write'],
  variants: elementwiseVariants(['pool']),
  dispatch: ({ reports, tokens, width }) => grid1d(reports * tokens * width, elementwiseWorkgroup),
  cost: ({ reports, tokens, sentences, width }) => ({
    flops: 2 * reports * tokens * width,
    bytes: 4 * reports * width * (tokens + sentences + 1),
  }),
});

/** What sentence pooling returns, and what its gradient needs again. */
export interface PooledSentences {
  /** `[B, P, D]`, zero for sentences without tokens. */
  readonly sentences: NDArray;
  /** i32 `[B, P]`, 1 where the sentence has a token. */
  readonly mask: NDArray;
  /** `[B, D]`, mean of the sentences that exist. */
  readonly report: NDArray;
  /** `[B, P]`, factor of a token in the sum of its sentence. */
  readonly weights: NDArray;
  /** `[B]`, 1 / number of sentences. */
  readonly share: NDArray;
}

/**
 * Joins the token vectors `hidden` `[B, S, D]` of each sentence and averages the sentences of each report.
 * @param ids i32 `[B, S]`: sentence of each token; tokens with an id outside `[0, maxSentences)` are left out.
 * @throws ShapeError if shapes or dtypes do not fit.
 */
export function poolSentences(
  hidden: NDArray,
  ids: NDArray,
  maxSentences: number,
  reduction: SentenceReduction,
): PooledSentences {
  const [reports = 0, tokens = 0, size = 0] = hidden.shape;
  if (
    hidden.rank !== 3 ||
    ids.dtype !== 'i32' ||
    ids.rank !== 2 ||
    ids.shape[0] !== reports ||
    ids.shape[1] !== tokens
  ) {
    throw new ShapeError(
      `poolSentences needs hidden states [B, S, D] and i32 sentence ids [B, S], got ${formatShape(hidden.shape)} and ` +
        `${ids.dtype} ${formatShape(ids.shape)}.`,
    );
  }
  if (!Number.isInteger(maxSentences) || maxSentences < 1) {
    throw new ShapeError(`poolSentences needs room for at least one sentence, got maxSentences ${maxSentences}.`);
  }
  const { gpu } = hidden;
  const pooled = {
    sentences: NDArray.empty(gpu, [reports, maxSentences, size]),
    mask: NDArray.empty(gpu, [reports, maxSentences], 'i32'),
    report: NDArray.empty(gpu, [reports, size]),
    weights: NDArray.empty(gpu, [reports, maxSentences]),
    share: NDArray.empty(gpu, [reports]),
  };
  const { sentences, mask, report, weights, share } = pooled;
  const tokenIds = contiguous(ids);
  const sizes = { reports, tokens, sentences: maxSentences };
  weightsKernel.run(gpu, reduction, [tokenIds, mask, weights, share], sizes);
  const { width, count } = elementWidth(size);
  const arrays = [contiguous(hidden), tokenIds, weights, share, sentences, report];
  poolKernel.run(gpu, `pool-${width}`, arrays, { ...sizes, width: count });
  return pooled;
}

/** Gradient of `hidden` `[B, S, D]` from those of the sentences and of the report (0 where left out). */
export function poolSentencesGrad(
  pooled: PooledSentences,
  ids: NDArray,
  dSentences: NDArray | undefined,
  dReport: NDArray | undefined,
): NDArray {
  const { sentences, report, weights, share } = pooled;
  const { gpu } = sentences;
  const [reports = 0, maxSentences = 0, size = 0] = sentences.shape;
  const tokens = ids.shape[1] ?? 0;
  const dHidden = NDArray.empty(gpu, [reports, tokens, size]);
  const { width, count } = elementWidth(size);
  const arrays = [
    contiguous(dSentences ?? fill(gpu, sentences.shape, 0)),
    contiguous(dReport ?? fill(gpu, report.shape, 0)),
    contiguous(ids),
    weights,
    share,
    dHidden,
  ];
  poolGradKernel.run(gpu, `pool-${width}`, arrays, { reports, tokens, sentences: maxSentences, width: count });
  return dHidden;
}
