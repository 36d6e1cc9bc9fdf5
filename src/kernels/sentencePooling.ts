import { contiguous } from './copy.ts';
import { defineKernel, grid1d } from './define.ts';
import { fill } from './fill.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';

/** `sum` is equation 5 as printed; `mean` takes the advantage of long reports out by `- tau3 log(sentences)`. */
export type SentenceAggregation = 'sum' | 'mean';

const workgroup = 64;
const variant = (op: number) =>
  ({ constants: { WORKGROUP_SIZE: workgroup, OP: op }, libraries: [wgsl.libGrid] }) as const;

const poolKernel = defineKernel({
  name: 'contrastPool',
  shader: wgsl.contrastPool,
  params: { images: 'u32', reports: 'u32', sentences: 'u32', tau3: 'f32' },
  bindings: ['read', 'read', 'write'],
  variants: { sum: variant(0), mean: variant(1) },
  dispatch: ({ images, reports }) => grid1d(images * reports, workgroup),
  cost: ({ images, reports, sentences }) => ({
    flops: 4 * images * reports * sentences,
    bytes: 8 * images * reports * sentences,
  }),
});

const termsKernel = defineKernel({
  name: 'contrastTerms',
  shader: wgsl.contrastTerms,
  params: { images: 'u32', reports: 'u32', sentences: 'u32', tau3: 'f32', eps: 'f32', upstreamScale: 'f32' },
  bindings: ['read', 'read', 'read', 'read', 'read', 'read', 'write', 'write'],
  variants: { plain: variant(0) },
  dispatch: ({ images, reports, sentences }) => grid1d(images * reports * sentences, workgroup),
  cost: ({ images, reports, sentences }) => ({
    flops: 8 * images * reports * sentences * sentences,
    bytes: 40 * images * reports * sentences,
  }),
});

/** Similarities `[B, B]` of images and reports from cosines `[B, B, P]` and the mask i32 `[B, P]` of real sentences. */
export function poolCosines(cosine: NDArray, mask: NDArray, aggregation: SentenceAggregation, tau3: number): NDArray {
  const [images = 0, reports = 0, sentences = 0] = cosine.shape;
  const z = NDArray.empty(cosine.gpu, [images, reports]);
  poolKernel.run(cosine.gpu, aggregation, [cosine, mask, z], { images, reports, sentences, tau3 });
  return z;
}

/** Shared factors of the gradients of a local similarity. */
export interface LocalTerms {
  /** `[B, B * P, 4]`, see `shaders/contrastTerms.wgsl`. */
  readonly terms: NDArray;
  /** `[B, B * P]`, gradient times cosine. */
  readonly along: NDArray;
}

/** Gradient of `poolCosines` in the form in which the rest of the backward pass needs it. */
export function poolCosinesGrad(
  forward: { readonly cosine: NDArray; readonly norms: NDArray; readonly normsT: NDArray; readonly mask: NDArray },
  dz: NDArray | undefined,
  upstream: NDArray | undefined,
  options: { readonly tau3: number; readonly eps: number },
): LocalTerms {
  const { cosine, norms, normsT, mask } = forward;
  const { gpu } = cosine;
  const [images = 0, reports = 0, sentences = 0] = cosine.shape;
  const terms = NDArray.empty(gpu, [images, reports * sentences, 4]);
  const along = NDArray.empty(gpu, [images, reports * sentences]);
  termsKernel.run(
    gpu,
    'plain',
    [
      cosine,
      norms,
      normsT,
      mask,
      contiguous(dz ?? fill(gpu, [images, reports], 0)),
      upstream ? contiguous(upstream) : cosine,
      terms,
      along,
    ],
    { images, reports, sentences, ...options, upstreamScale: upstream ? 1 : 0 },
  );
  return { terms, along };
}
