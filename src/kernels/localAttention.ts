import { defineKernel, grid1d } from './define.ts';
import type { NDArray } from './ndarray.ts';
import { chooseRowForm, rowGrid, rowVariants } from './rows.ts';
import * as wgsl from './shaders.gen.ts';

/** Sizes of a tile of reports: `rows` sentences of it meet all regions of all images. */
export interface TileSizes {
  readonly images: number;
  readonly regions: number;
  /** Reports of the tile, and sentences (padded) of each. */
  readonly reports: number;
  readonly sentences: number;
  /** First sentence of the tile among all of them. */
  readonly rowOffset: number;
  /** Sentences of all reports, padded. */
  readonly total: number;
}

/** Whether scores are cosines, i.e. divided by both norms. */
export type Scores = 'dot' | 'cosine';

const workgroup = 64;
const perColumn = (op: number) =>
  ({ constants: { WORKGROUP_SIZE: workgroup, OP: op }, libraries: [wgsl.libGrid] }) as const;

const sentencesKernel = defineKernel({
  name: 'contrastSentences',
  shader: wgsl.contrastSentences,
  params: { reports: 'u32', sentences: 'u32', columns: 'u32', rowOffset: 'u32', eps: 'f32' },
  bindings: ['read', 'read', 'read', 'read', 'write'],
  variants: { dot: perColumn(0), cosine: perColumn(1) },
  dispatch: ({ reports, columns }) => grid1d(reports * columns, workgroup),
  cost: ({ reports, sentences, columns }) => ({
    flops: 4 * reports * sentences * columns,
    bytes: 24 * reports * sentences * columns,
  }),
});

const sentencesGradKernel = defineKernel({
  name: 'contrastSentencesGrad',
  shader: wgsl.contrastSentencesGrad,
  params: { reports: 'u32', sentences: 'u32', columns: 'u32' },
  bindings: ['read', 'write'],
  variants: { plain: perColumn(0) },
  dispatch: ({ reports, columns }) => grid1d(reports * columns, workgroup),
  cost: ({ reports, sentences, columns }) => ({
    flops: 4 * reports * sentences * columns,
    bytes: 20 * reports * sentences * columns,
  }),
});

const attentionKernel = defineKernel({
  name: 'contrastAttention',
  shader: wgsl.contrastAttention,
  params: { rows: 'u32', images: 'u32', regions: 'u32', rowOffset: 'u32', tau2: 'f32', eps: 'f32' },
  bindings: ['read', 'read', 'read', 'read', 'write'],
  variants: rowVariants(['dot', 'cosine']),
  dispatch: ({ rows, images }, constants) => rowGrid(rows * images, constants),
  cost: ({ rows, images, regions }) => ({ flops: 6 * rows * images * regions, bytes: 20 * rows * images * regions }),
});

const cosineKernel = defineKernel({
  name: 'contrastCosine',
  shader: wgsl.contrastCosine,
  params: {
    rows: 'u32',
    images: 'u32',
    regions: 'u32',
    width: 'u32',
    rowOffset: 'u32',
    total: 'u32',
    eps: 'f32',
  },
  bindings: ['read', 'read', 'read', 'read', 'read', 'write', 'write'],
  variants: rowVariants(['direct', 'gram']),
  dispatch: ({ rows, images }, constants) => rowGrid(rows * images, constants),
  cost: ({ rows, images, regions, width }) => ({
    flops: rows * images * (2 * regions + 2 * width),
    bytes: 4 * rows * images * (2 * regions + width),
  }),
});

const attentionGradKernel = defineKernel({
  name: 'contrastAttentionGrad',
  shader: wgsl.contrastAttentionGrad,
  params: { rows: 'u32', images: 'u32', regions: 'u32', rowOffset: 'u32', total: 'u32', tau2: 'f32' },
  bindings: ['read', 'read', 'read', 'read', 'write'],
  variants: rowVariants(['grad']),
  dispatch: ({ rows, images }, constants) => rowGrid(rows * images, constants),
  cost: ({ rows, images, regions }) => ({ flops: 8 * rows * images * regions, bytes: 28 * rows * images * regions }),
});

const coefficientsKernel = defineKernel({
  name: 'contrastCoefficients',
  shader: wgsl.contrastCoefficients,
  params: { rows: 'u32', images: 'u32', regions: 'u32', rowOffset: 'u32', total: 'u32', eps: 'f32' },
  bindings: ['write', 'read', 'read', 'read', 'read', 'write', 'write'],
  variants: { dot: perColumn(0), cosine: perColumn(1) },
  dispatch: ({ images, regions }) => grid1d(images * regions, workgroup),
  cost: ({ rows, images, regions }) => ({ flops: 6 * rows * images * regions, bytes: 20 * rows * images * regions }),
});

/** Norms of regions `[B * M]` and sentences `[B * P]`, and which sentences are real. */
export interface LocalInputs {
  readonly normsV: NDArray;
  readonly normsT: NDArray;
  readonly mask: NDArray;
  readonly eps: number;
}

function tileParams({ images, regions, reports, sentences, rowOffset, total }: TileSizes) {
  return { rows: reports * sentences, images, regions, rowOffset, total };
}

/** Softmax of `s` `[reports * P, images * M]` over the sentences of each report, into `x`. */
export function normalizeSentences(
  scores: Scores,
  s: NDArray,
  inputs: LocalInputs,
  x: NDArray,
  sizes: TileSizes,
): void {
  const { images, regions, reports, sentences, rowOffset } = sizes;
  const values = { reports, sentences, columns: images * regions, rowOffset, eps: inputs.eps };
  sentencesKernel.run(s.gpu, scores, [s, inputs.normsV, inputs.normsT, inputs.mask, x], values);
}

/** Replaces the gradient `d` of normalised scores by that of the scores. */
export function normalizeSentencesGrad(
  x: NDArray,
  d: NDArray,
  { images, regions, reports, sentences }: TileSizes,
): void {
  sentencesGradKernel.run(x.gpu, 'plain', [x, d], { reports, sentences, columns: images * regions });
}

/** Softmax over the regions of `scores / tau2`, from `[rows, B, M]` into `a` `[B, rows, M]`. */
export function attendRegions(
  scores: Scores,
  s: NDArray,
  inputs: LocalInputs,
  a: NDArray,
  sizes: TileSizes,
  tau2: number,
): void {
  const { rows, images, regions, rowOffset } = tileParams(sizes);
  attentionKernel.run(
    s.gpu,
    `${scores}-${chooseRowForm(s.gpu, regions, rows * images)}`,
    [s, inputs.normsV, inputs.normsT, inputs.mask, a],
    { rows, images, regions, rowOffset, tau2, eps: inputs.eps },
  );
}

/** Cosines of attended regions with sentences and norms of attended regions, into their columns of `[B, total]`. */
export function attendedCosines(
  a: NDArray,
  s: NDArray,
  u: NDArray,
  gram: boolean,
  inputs: LocalInputs,
  into: { readonly cosine: NDArray; readonly norms: NDArray },
  sizes: TileSizes,
): void {
  const params = tileParams(sizes);
  cosineKernel.run(
    a.gpu,
    `${gram ? 'gram' : 'direct'}-${chooseRowForm(a.gpu, sizes.regions, params.rows * params.images)}`,
    [a, s, u, inputs.normsT, inputs.mask, into.cosine, into.norms],
    { ...params, width: u.shape[2] ?? 1, eps: inputs.eps },
  );
}

/** Gradient `ds` `[rows, B, M]` of the scores (after a normalisation over sentences, if there is one). */
export function attendRegionsGrad(
  a: NDArray,
  s: NDArray,
  u: NDArray,
  terms: NDArray,
  ds: NDArray,
  sizes: TileSizes,
  tau2: number,
): void {
  const params = tileParams(sizes);
  const variant = `grad-${chooseRowForm(a.gpu, sizes.regions, params.rows * params.images)}` as const;
  attentionGradKernel.run(a.gpu, variant, [a, s, u, terms, ds], { ...params, tau2 });
}

/** Turns `d` into coefficients of products with the features; adds to `along` `[B * M]` for cosines. */
export function featureCoefficients(
  scores: Scores,
  d: NDArray,
  arrays: { readonly s: NDArray; readonly a: NDArray; readonly terms: NDArray },
  inputs: LocalInputs,
  scaled: NDArray,
  along: NDArray,
  sizes: TileSizes,
): void {
  const { s, a, terms } = arrays;
  const bound = [d, s, a, terms, inputs.normsV, scaled, along];
  coefficientsKernel.run(d.gpu, scores, bound, { ...tileParams(sizes), eps: inputs.eps });
}
