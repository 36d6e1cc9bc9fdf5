/** What the engine computes: how alike every place of an image is to one of them. */
import { type Captured, conv2d, type Gpu, indexSelect, type NDArray, noGrad, reshape, tensor } from 'groundray';
import { phraseSimilarity } from 'groundray/models';

/** Sides of a patch in pixels, and distance of their centres. */
export const patch = 9;
export const stride = 2;

export interface Alike {
  /** Cells of the heat map in a row and in a column. */
  readonly cells: number;
  /** Correlation of the patch around every cell with the chosen one, `[cells * cells]`, -1 to 1. */
  readonly frame: Captured<NDArray>;
  /** Chooses a cell, counted in rows from the upper left corner. */
  choose(cell: number): void;
}

/**
 * Cuts patches out of a square image of grey levels, and records the comparison with one of them. Everything is submitted.
 * A convolution takes each patch apart into its pixels and subtracts their mean; the cosine of two is their correlation.
 */
export function alikeEverywhere(gpu: Gpu, pixels: Float32Array, size: number): Alike {
  const count = patch * patch;
  const weights = Float32Array.from({ length: count * count }, (_, i) => (i % (count + 1) === 0 ? 1 : 0) - 1 / count);
  const cells = Math.ceil(size / stride);
  const patches = gpu.scope(() =>
    noGrad(() => {
      const image = tensor(gpu, pixels, [1, size, size, 1]);
      const filters = tensor(gpu, weights, [count, patch, patch, 1]);
      const cut = conv2d(image, filters, undefined, { stride, padding: (patch - 1) / 2 });
      return reshape(cut, [cells * cells, count]);
    }),
  );
  const chosen = tensor(gpu, [0], [1], { dtype: 'i32' });
  const frame = gpu.capture(() =>
    noGrad(() => phraseSimilarity(patches.array, reshape(indexSelect(patches, 0, chosen), [count]).array)),
  );
  gpu.submit();
  return { cells, frame, choose: (cell) => chosen.array.write([cell]) };
}
