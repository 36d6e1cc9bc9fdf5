import { contiguous } from '../../kernels/copy.ts';
import { resizeBilinear as resizeArrays, resizeBilinearGrad, resizeGeometry } from '../../kernels/resizeBilinear.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/** Where `resizeBilinear` samples. */
export interface ResizeOptions {
  /** Whether the centres of the corner pixels coincide; otherwise (default) the outer edges of the images do. */
  readonly alignCorners?: boolean;
}

/**
 * Bilinear resize of `x` `[batch, height, width, channels]` to `[height, width]`, without antialiasing.
 * @throws ShapeError for another rank or sizes outside 1 to 16384.
 */
export function resizeBilinear(
  x: Tensor,
  size: readonly [number, number],
  { alignCorners = false }: ResizeOptions = {},
): Tensor {
  const geometry = resizeGeometry(x.shape, size, alignCorners);
  const y = resizeArrays(contiguous(x.array), geometry);
  return record('resizeBilinear', [x], y, (dy) => [resizeBilinearGrad(contiguous(dy), x.shape, geometry)]);
}
