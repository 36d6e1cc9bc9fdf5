/** Bringing images of any size into the square frame of the model, and masks and maps between the two frames. */
import type { GrayImage, Mask } from './types.ts';

/** Where a source image lies in the frame: frame coordinate = source coordinate * scale + offset, in pixel edges. */
export interface FrameGeometry {
  readonly sourceWidth: number;
  readonly sourceHeight: number;
  /** Width and height of the square frame. */
  readonly size: number;
  readonly scale: number;
  readonly offsetX: number;
  readonly offsetY: number;
}

/** An image as models take it, and where it came from. */
export interface PreprocessedImage {
  /** `[size, size]`, values in [0, 1], 0 outside of the source. */
  readonly image: GrayImage;
  readonly geometry: FrameGeometry;
}

/**
 * Scales the longest side to `resize` (default `size`) by area averaging, pads with 0 to a square and centres; where
 * `resize` is larger than `size`, the centre is cut out. Throws RangeError on an empty image or size.
 */
export function preprocess(image: GrayImage, size: number, resize = size): PreprocessedImage {
  checkImage(image);
  if (!Number.isInteger(size) || size < 1 || resize < 1) {
    throw new RangeError(`Frames need whole sizes of 1 or more; found size ${size}, resize ${resize}.`);
  }
  const { scale, width, height } = resizedSize(image, resize);
  const resized = width === image.width && height === image.height ? image : resizeArea(image, width, height);
  const left = Math.floor((size - width) / 2);
  const top = Math.floor((size - height) / 2);
  return {
    image: width === size && height === size ? resized : place(resized, size, left, top),
    geometry: { sourceWidth: image.width, sourceHeight: image.height, size, scale, offsetX: left, offsetY: top },
  };
}

/** Size of an image whose longest side is scaled to `longest`, in whole pixels of 1 or more. */
export function resizedSize(
  image: { readonly width: number; readonly height: number },
  longest: number,
): { readonly scale: number; readonly width: number; readonly height: number } {
  const scale = longest / Math.max(image.width, image.height);
  const pixels = (side: number): number => Math.max(1, Math.round(side * scale));
  return { scale, width: pixels(image.width), height: pixels(image.height) };
}

/**
 * Area-averaging resize, as INTER_AREA: each target pixel is the mean of the source area it covers. Enlarging is
 * bilinear between pixel centres.
 */
export function resizeArea(image: GrayImage, width: number, height: number): GrayImage {
  const columns = resizeWeights(image.width, width);
  const rows = resizeWeights(image.height, height);
  const narrow = new Float32Array(width * image.height);
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      const { start, weights } = columns[x] as Weights;
      for (let k = 0; k < weights.length; k++)
        sum += (weights[k] ?? 0) * (image.data[y * image.width + start + k] ?? 0);
      narrow[y * width + x] = sum;
    }
  }
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const { start, weights } = rows[y] as Weights;
    for (let k = 0; k < weights.length; k++) {
      const weight = weights[k] ?? 0;
      const from = (start + k) * width;
      for (let x = 0; x < width; x++)
        data[y * width + x] = (data[y * width + x] ?? 0) + weight * (narrow[from + x] ?? 0);
    }
  }
  return { width, height, data };
}

interface Weights {
  readonly start: number;
  readonly weights: readonly number[];
}

function resizeWeights(from: number, to: number): Weights[] {
  const ratio = from / to;
  return Array.from({ length: to }, (_, i) => {
    if (ratio >= 1) {
      const low = i * ratio;
      const high = Math.min(from, (i + 1) * ratio);
      const start = Math.floor(low);
      const end = Math.max(start + 1, Math.ceil(high - 1e-9));
      const weights = Array.from({ length: end - start }, (_, k) => {
        return (Math.min(high, start + k + 1) - Math.max(low, start + k)) / (high - low);
      });
      return { start, weights };
    }
    const centre = Math.min(Math.max((i + 0.5) * ratio - 0.5, 0), from - 1);
    const start = Math.min(Math.floor(centre), Math.max(0, from - 2));
    const t = centre - start;
    return { start, weights: from === 1 ? [1] : [1 - t, t] };
  });
}

/** The source's mask in the frame of the model: nearest pixel, 0 outside of the source. */
export function maskToFrame(mask: Mask, geometry: FrameGeometry): Mask {
  if (mask.width !== geometry.sourceWidth || mask.height !== geometry.sourceHeight) {
    throw new RangeError(
      `The mask is ${mask.width}x${mask.height}, its image ${geometry.sourceWidth}x${geometry.sourceHeight}; they must be equal.`,
    );
  }
  const { size } = geometry;
  const data = new Uint8Array(size * size);
  for (let y = 0; y < size; y++) {
    const sy = Math.floor((y + 0.5 - geometry.offsetY) / geometry.scale);
    if (sy < 0 || sy >= mask.height) continue;
    for (let x = 0; x < size; x++) {
      const sx = Math.floor((x + 0.5 - geometry.offsetX) / geometry.scale);
      if (sx >= 0 && sx < mask.width) data[y * size + x] = mask.data[sy * mask.width + sx] ?? 0;
    }
  }
  return { width: size, height: size, data };
}

/** A `[size, size]` map of the frame, bilinearly in the frame of the source image, `[sourceHeight, sourceWidth]`. */
export function mapToSource(map: Float32Array, geometry: FrameGeometry): GrayImage {
  const { size, sourceWidth, sourceHeight } = geometry;
  if (map.length !== size * size) {
    throw new RangeError(`The map has ${map.length} values, its frame of ${size}x${size} needs ${size * size}.`);
  }
  const frame = { width: size, height: size, data: map };
  const data = new Float32Array(sourceWidth * sourceHeight);
  for (let y = 0; y < sourceHeight; y++) {
    for (let x = 0; x < sourceWidth; x++) {
      const fx = (x + 0.5) * geometry.scale + geometry.offsetX - 0.5;
      const fy = (y + 0.5) * geometry.scale + geometry.offsetY - 0.5;
      data[y * sourceWidth + x] = sampleClamped(frame, fx, fy);
    }
  }
  return { width: sourceWidth, height: sourceHeight, data };
}

/** Bilinear value between pixel centres; beyond the border the nearest pixel. */
export function sampleClamped(image: GrayImage, x: number, y: number): number {
  const cx = Math.min(Math.max(x, 0), image.width - 1);
  const cy = Math.min(Math.max(y, 0), image.height - 1);
  const x0 = Math.floor(cx);
  const y0 = Math.floor(cy);
  const x1 = Math.min(x0 + 1, image.width - 1);
  const y1 = Math.min(y0 + 1, image.height - 1);
  const at = (column: number, row: number): number => image.data[row * image.width + column] ?? 0;
  const top = at(x0, y0) + (at(x1, y0) - at(x0, y0)) * (cx - x0);
  const bottom = at(x0, y1) + (at(x1, y1) - at(x0, y1)) * (cx - x0);
  return top + (bottom - top) * (cy - y0);
}

function place(image: GrayImage, size: number, left: number, top: number): GrayImage {
  const data = new Float32Array(size * size);
  const firstColumn = Math.max(0, left);
  const columns = Math.min(size, left + image.width) - firstColumn;
  for (let y = Math.max(0, top); y < Math.min(size, top + image.height); y++) {
    const from = (y - top) * image.width + firstColumn - left;
    data.set(image.data.subarray(from, from + columns), y * size + firstColumn);
  }
  return { width: size, height: size, data };
}

function checkImage(image: GrayImage): void {
  if (image.width < 1 || image.height < 1 || image.data.length !== image.width * image.height) {
    throw new RangeError(`An image of ${image.width}x${image.height} cannot have ${image.data.length} values.`);
  }
}
