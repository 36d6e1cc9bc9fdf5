import { ShapeError } from '../gpu/errors.ts';
import { accumulate, binary } from './binary.ts';
import { contiguous, copyInto, reshape } from './copy.ts';
import { rowNorm } from './cosinePairs.ts';
import { fill } from './fill.ts';
import type { LocalInputs, Scores, TileSizes } from './localAttention.ts';
import {
  attendedCosines,
  attendRegions,
  attendRegionsGrad,
  featureCoefficients,
  normalizeSentences,
  normalizeSentencesGrad,
} from './localAttention.ts';
import { matmul } from './matmul.ts';
import { NDArray } from './ndarray.ts';
import { reduce } from './reduce.ts';
import { maskRows, removeProjection } from './rowVectors.ts';
import type { LocalTerms } from './sentencePooling.ts';
import { formatShape, sameShape } from './shape.ts';

/** How sentences attend to regions. */
export interface LocalAttentionOptions {
  /** Scores between regions and sentences: cosines, or dot products as equation 3 prints them. */
  readonly scores: Scores;
  /** Softmax over regions, or over a report's sentences first and then over regions (GLoRIA's code). */
  readonly normalization: 'regions' | 'sentences_regions';
  readonly tau2: number;
  readonly eps: number;
  /** Reports that are worked on together; chosen by the memory they take if left out. */
  readonly reportsPerTile?: number | undefined;
  /** Norms of attended regions from Gram matrices of the regions, or from the attended regions; the cheaper one if left out. */
  readonly form?: 'gram' | 'direct' | undefined;
}

/** Arrays of one tile of reports. */
interface Tile {
  readonly sizes: TileSizes;
  /** Masked sentences `[rows, D]`. */
  readonly text: NDArray;
  /** Dot products `[rows, B, M]`. */
  readonly s: NDArray;
  /** Scores normalised over sentences, if they are. */
  readonly x: NDArray | undefined;
  /** Attention `[B, rows, M]`. */
  readonly a: NDArray;
  /** Gram form: `G a` `[B, rows, M]`; direct form: attended regions `[B, rows, D]`. */
  readonly u: NDArray;
}

/** Cosines of sentences with what they attend to, and what their gradient needs. */
export interface LocalCosines {
  /** `[B, B, P]`: image, report, sentence; 0 for padded sentences. */
  readonly cosine: NDArray;
  /** Norms of attended regions, of the same shape. */
  readonly norms: NDArray;
  readonly normsT: NDArray;
  readonly mask: NDArray;
  /** `[B, B, P, M]`, if it was asked for. */
  readonly attention: NDArray | undefined;
  readonly backward: (terms: LocalTerms) => { readonly dV: NDArray; readonly dT: NDArray };
}

/** Bytes of one `[rows, B, M]` array of a tile, and of all tile arrays that are kept for the backward pass. */
const tileBytes = 32 * 2 ** 20;
const keptBytes = 96 * 2 ** 20;

function check(v: NDArray, t: NDArray, mask: NDArray): void {
  const [batch = 0, , width] = v.shape;
  const fits = v.rank === 3 && t.rank === 3 && t.shape[0] === batch && t.shape[2] === width && v.size > 0 && t.size > 0;
  if (!fits || mask.dtype !== 'i32' || !sameShape(mask.shape, t.shape.slice(0, 2))) {
    throw new ShapeError(
      'localContrast needs regions [B, M, D], sentences [B, P, D] and an i32 mask [B, P], none of them empty; got ' +
        `${formatShape(v.shape)}, ${formatShape(t.shape)} and ${mask.dtype} ${formatShape(mask.shape)}.`,
    );
  }
}

/**
 * Cosines of every sentence of every report with the regions it attends to in every image (equations 3 and 4).
 * Reports are worked on in tiles, and nothing of size `[B, B, P, D]` is stored: with the Gram matrix G of an image's
 * regions, c.T = sum a s and |c|^2 = a^T G a.
 * @param v regions `[B, M, D]`
 * @param t sentences `[B, P, D]`; what padded rows hold has no influence
 * @param mask i32 `[B, P]`, 1 for real sentences
 * @throws ShapeError if shapes do not fit, or if the attention is asked for but does not fit into one binding.
 */
export function localCosines(
  v: NDArray,
  t: NDArray,
  mask: NDArray,
  options: LocalAttentionOptions,
  keepAttention: boolean,
): LocalCosines {
  check(v, t, mask);
  const { gpu } = v;
  const { scores, normalization, tau2, eps } = options;
  const [images = 0, regions = 0, width = 0] = v.shape;
  const [reports = 0, sentences = 0] = t.shape;
  const total = reports * sentences;
  const bindingBytes = Math.min(gpu.device.limits.maxStorageBufferBindingSize, gpu.device.limits.maxBufferSize);
  const gramFits = images * regions * regions * 4 <= bindingBytes;
  const gram = options.form ? options.form === 'gram' : regions <= width && gramFits;
  const reportBytes = sentences * images * Math.max(regions, gram ? regions : width) * 4;
  if (reportBytes > bindingBytes || (keepAttention && reportBytes * reports > bindingBytes)) {
    throw new ShapeError(
      `localContrast: ${keepAttention ? 'the attention of all reports' : 'one report'} against ${images} images takes ` +
        `${keepAttention ? reportBytes * reports : reportBytes} bytes, the device binds ${bindingBytes}; use smaller batches.`,
    );
  }
  const fitting = Math.max(1, Math.floor(Math.min(tileBytes, bindingBytes) / reportBytes));
  const perTile = keepAttention ? reports : Math.min(reports, options.reportsPerTile ?? fitting);

  const regionsV = contiguous(v);
  const flatV = reshape(regionsV, [images * regions, width]);
  const text = maskRows(reshape(t, [total, width]), reshape(mask, [total]));
  const inputs: LocalInputs = { normsV: rowNorm(flatV), normsT: rowNorm(text), mask: contiguous(mask), eps };
  const gramMatrix = gram ? matmul(regionsV, regionsV, { transposeB: true }) : undefined;
  const results = {
    cosine: NDArray.empty(gpu, [images, reports, sentences]),
    norms: NDArray.empty(gpu, [images, reports, sentences]),
  };

  const makeTile = (first: number): Tile => {
    const count = Math.min(perTile, reports - first);
    const rows = count * sentences;
    const sizes = { images, regions, reports: count, sentences, rowOffset: first * sentences, total };
    const own = contiguous(text.view([rows, width], [width, 1], first * sentences * width));
    const s = matmul(own, flatV, { transposeB: true });
    const twice = normalization === 'sentences_regions';
    const x = twice ? NDArray.empty(gpu, s.shape) : undefined;
    if (x) normalizeSentences(scores, s, inputs, x, sizes);
    const a = NDArray.empty(gpu, [images, rows, regions]);
    attendRegions(x ? 'dot' : scores, x ?? s, inputs, a, sizes, tau2);
    return { sizes, text: own, s, x, a, u: matmul(a, gramMatrix ?? regionsV) };
  };

  const firsts = Array.from({ length: Math.ceil(reports / perTile) }, (_, i) => i * perTile);
  const keep = reportBytes * reports * 3 <= keptBytes;
  const kept = new Map<number, Tile>();
  for (const first of firsts) {
    gpu.scope(() => {
      const tile = makeTile(first);
      attendedCosines(tile.a, tile.s, tile.u, gram, inputs, results, tile.sizes);
      if (keep || keepAttention) kept.set(first, tile);
      return kept.get(first);
    });
  }

  const backward = ({ terms, along }: LocalTerms): { dV: NDArray; dT: NDArray } => {
    const dV = fill(gpu, [images * regions, width], 0);
    const alongV = fill(gpu, [images * regions, 1], 0);
    const fromT = NDArray.empty(gpu, [total, width]);
    const towardsC = gram ? fill(gpu, [images, regions, regions], 0) : undefined;
    for (const first of firsts) {
      gpu.scope(() => {
        const { sizes, text: own, s, x, a, u } = kept.get(first) ?? makeTile(first);
        const products = gram ? u : matmul(u, regionsV, { transposeB: true });
        const d = NDArray.empty(gpu, s.shape);
        const scaled = NDArray.empty(gpu, a.shape);
        attendRegionsGrad(a, s, products, terms, d, sizes, tau2);
        if (x) normalizeSentencesGrad(x, d, sizes);
        featureCoefficients(scores, d, { s, a, terms }, inputs, scaled, alongV, sizes);
        const rows = fromT.view([own.shape[0] ?? 0, width], [width, 1], sizes.rowOffset * width);
        copyInto(matmul(d, flatV), rows);
        accumulate(dV, matmul(d, own, { transposeA: true }));
        if (towardsC) accumulate(towardsC, matmul(a, scaled, { transposeA: true }));
        else accumulate(dV, matmul(scaled, u, { transposeA: true }), -1);
      });
    }
    if (towardsC) accumulate(dV, matmul(towardsC, regionsV), -1);
    if (scores === 'cosine') accumulate(dV, binary('mul', flatV, alongV), -1);
    const alongT = scores === 'cosine' ? undefined : reduce('sum', along, [0]);
    const dT = removeProjection(fromT, text, inputs.normsT, scores === 'cosine' ? eps : 0, alongT);
    return { dV: reshape(dV, v.shape), dT: reshape(dT, t.shape) };
  };

  const attention = keepAttention ? kept.get(0)?.a : undefined;
  return {
    ...results,
    normsT: inputs.normsT,
    mask: inputs.mask,
    attention: attention && reshape(attention, [images, reports, sentences, regions]),
    backward,
  };
}
