import { PNG } from 'pngjs';

/** Pixels with 8 bits per channel: grey (1 channel), RGB (3) or RGBA (4). */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  /** `[height, width, channels]`, row-major, 0 to 255. */
  readonly data: Uint8Array | Uint8ClampedArray;
}

const COLOR_TYPES = { 1: 0, 3: 2, 4: 6 } as const;

/**
 * Encodes pixels as a PNG file (8 bits per channel, lossless).
 *
 * @throws RangeError when the size is not a positive integer or the data do not have `width * height * channels` bytes.
 */
export function encodePng(pixels: Pixels): Uint8Array {
  const { width, height, channels, data } = pixels;
  if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
    throw new RangeError(`A PNG needs a width and height of at least 1 pixel, got ${width}x${height}.`);
  }
  if (data.length !== width * height * channels) {
    throw new RangeError(
      `A ${width}x${height} image with ${channels} channels has ${width * height * channels} bytes, got ${data.length}.`,
    );
  }
  const colorType = COLOR_TYPES[channels];
  const png = new PNG({
    width,
    height,
    colorType,
    inputColorType: colorType,
    inputHasAlpha: channels === 4,
  });
  png.data = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return new Uint8Array(PNG.sync.write(png, { colorType, inputColorType: colorType, inputHasAlpha: channels === 4 }));
}

/**
 * Encodes a grey image with values in [0, 1] (clamped, rounded to 8 bits) as a grey PNG.
 *
 * @param image `data` is `[height, width]`, row-major.
 */
export function encodeGrayPng(image: { width: number; height: number; data: ArrayLike<number> }): Uint8Array {
  const data = new Uint8Array(image.width * image.height);
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.round(Math.min(1, Math.max(0, image.data[i] ?? 0)) * 255);
  }
  return encodePng({ width: image.width, height: image.height, channels: 1, data });
}
