import type { Box, GrayImage } from '../data/types.ts';
import { DEFAULT_SIGMA, type Grid, gaussianBlur, resizeBilinear, type Size } from './maps.ts';

/** Where a model finds one phrase in one image. */
export interface Localization {
  /** Similarity of every local feature with the phrase, `[H', W']`; a cosine in [-1, 1] unless the model says otherwise. */
  readonly grid: Grid;
  /**
   * The rectangle of the image that the grid covers, in pixels of the image given to `localize`. Default:
   * `squareFrame(image)`, i.e. longest side resized, short side zero padded, image in the centre, no crop.
   */
  readonly frame?: Box;
  /** Cosine of the whole image with the phrase; absent for a model that has no feature of the whole image. */
  readonly similarity?: number;
}

/** What evaluation needs to know of a model: an image and phrases go in, a similarity grid per phrase comes out. */
export interface Localizer {
  /** Cells of the similarity grid. */
  readonly gridSize: Size;
  /** Results in the order of the phrases, each phrase encoded alone. */
  localize(image: GrayImage, phrases: readonly string[]): Promise<readonly Localization[]>;
}

/**
 * The square that an image is centred in when its longest side is resized and the short side is zero padded, in pixels
 * of the image.
 *
 * @param cropFraction Side of a centre crop taken afterwards as a fraction of the square, e.g. 224 / 256. Default 1.
 */
export function squareFrame(image: Size, cropFraction = 1): Box {
  if (!(cropFraction > 0 && cropFraction <= 1)) {
    throw new RangeError(`A centre crop keeps a fraction in (0, 1] of the square's side, got ${cropFraction}.`);
  }
  const side = Math.max(image.width, image.height) * cropFraction;
  return { x: (image.width - side) / 2, y: (image.height - side) / 2, width: side, height: side };
}

/**
 * Smooths a similarity grid and brings it to the frame of a mask: Gaussian on the grid, then bilinear interpolation.
 * The result is not rescaled yet (see `rescale`).
 *
 * @param image Size of the image that was localized.
 * @param target Size of the mask. It shows the same field of view as the image but may have another resolution.
 */
export function similarityMap(
  localization: Localization,
  image: Size,
  target: Size = image,
  options: { readonly sigma?: number; readonly radius?: number } = {},
): Grid {
  const frame = localization.frame ?? squareFrame(image);
  const scaleX = target.width / image.width;
  const scaleY = target.height / image.height;
  const smooth = gaussianBlur(localization.grid, options.sigma ?? DEFAULT_SIGMA, options.radius);
  return resizeBilinear(smooth, target, {
    x: frame.x * scaleX,
    y: frame.y * scaleY,
    width: frame.width * scaleX,
    height: frame.height * scaleY,
  });
}
