import { ShapeError } from '../../gpu/errors.ts';
import {
  gather as gatherArray,
  gatherGrad,
  indexSelectGrad,
  indexSelect as selectArray,
} from '../../kernels/indexing.ts';
import { formatShape, normalizeAxis } from '../../kernels/shape.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { slice } from './shape.ts';

/** What `embedding` leaves out of the gradient. */
export interface EmbeddingOptions {
  /** Row of the table that gets no gradient, e.g. that of the padding token. */
  readonly paddingIndex?: number | undefined;
}

/**
 * Rows of a table: `w [rows, width]`, `index` i32 `[...]` -> `[..., width]`. Indices outside the table are clamped to
 * its first or last row: check them where they come from. The gradient is deterministic.
 * @throws ShapeError if `w` is no matrix or `index` is not i32.
 */
export function embedding(w: Tensor, index: Tensor, options: EmbeddingOptions = {}): Tensor {
  if (w.rank !== 2)
    throw new ShapeError(`embedding: the table has shape ${formatShape(w.shape)}; expected [rows, width].`);
  return record('embedding', [w], selectArray(w.array, 0, index.array), (dy, _, [target]) => [
    indexSelectGrad(dy, w.shape, 0, index.array, options.paddingIndex, target),
  ]);
}

/** Entries `index` (i32 `[n]`) of `x` along `axis`; positions outside are clamped. */
export function indexSelect(x: Tensor, axis: number, index: Tensor): Tensor {
  return record('indexSelect', [x], selectArray(x.array, axis, index.array), (dy) => [
    indexSelectGrad(dy, x.shape, axis, index.array),
  ]);
}

/**
 * `y[.., j, ..] = x[.., index[.., j, ..], ..]` along `axis`. `index` (i32) may be smaller than `x` on the other axes;
 * positions outside are clamped. @throws ShapeError if `index` is larger than `x` on another axis.
 */
export function gather(x: Tensor, axis: number, index: Tensor): Tensor {
  const along = normalizeAxis(axis, x.rank, 'gather');
  const smaller = index.rank === x.rank && index.shape.some((size, i) => i !== along && size < (x.shape[i] ?? 0));
  if (smaller) {
    const sizes = x.shape.map((size, i) => (i === along ? size : (index.shape[i] ?? size)));
    return gather(
      slice(
        x,
        sizes.map((size) => [0, size]),
      ),
      along,
      index,
    );
  }
  return record('gather', [x], gatherArray(x.array, along, index.array), (dy) => [
    gatherGrad(dy, x.shape, along, index.array),
  ]);
}
