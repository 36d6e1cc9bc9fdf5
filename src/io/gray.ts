/** Grey images out of decoded pixels. */
import type { GrayImage } from '../data/types.ts';

/** Interleaved pixels `[height, width, channels]`: grey, grey and alpha, RGB or RGBA. */
export interface DecodedPixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array | Uint8ClampedArray | Uint16Array;
  /** Value of white, and of opaque. */
  readonly full: number;
}

/** Colour becomes luma (ITU-R BT.601), transparent parts lie on black, and the full range becomes [0, 1]. */
export function toGray({ width, height, channels, data: values, full }: DecodedPixels): GrayImage {
  const alpha = channels % 2 === 0;
  const data = new Float32Array(width * height);
  for (let i = 0, at = 0; i < data.length; i++, at += channels) {
    const first = values[at] ?? 0;
    const gray = channels < 3 ? first : 0.299 * first + 0.587 * (values[at + 1] ?? 0) + 0.114 * (values[at + 2] ?? 0);
    data[i] = alpha ? (gray * (values[at + channels - 1] ?? 0)) / (full * full) : gray / full;
  }
  return { width, height, data };
}

/** EXIF orientation: 1 is upright; 2 to 8 are mirrored, turned, or both. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Turns an image as viewers show it. From 5 on, width and height change places. */
export function orient(image: GrayImage, orientation: Orientation): GrayImage {
  if (orientation === 1) return image;
  const { width, height, data: source } = image;
  const turned = orientation >= 5;
  const [columns, rows] = turned ? [height, width] : [width, height];
  const fromRight = [2, 3, 7, 8].includes(orientation);
  const fromBelow = [3, 4, 6, 7].includes(orientation);
  const data = new Float32Array(source.length);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const [u, v] = turned ? [y, x] : [x, y];
      const [column, row] = [fromRight ? width - 1 - u : u, fromBelow ? height - 1 - v : v];
      data[y * columns + x] = source[row * width + column] ?? 0;
    }
  }
  return { width: columns, height: rows, data };
}
