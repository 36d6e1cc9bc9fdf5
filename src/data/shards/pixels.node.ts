/** Images and masks as the bytes of a shard, and back. */
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { DataError } from '../errors.ts';
import { resizeArea, resizedSize } from '../preprocess.ts';
import type { GrayImage, Mask } from '../types.ts';
import { REMEDY } from './format.ts';

export interface PackedImage {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

/** Most pixels of a mask, 268 million: a damaged size must not take all memory. */
const MAX_MASK_PIXELS = 2 ** 28;

/** Start of the SHA-256 as an unsigned 32-bit integer: finds damage when a record is read. */
export function checksum(bytes: Uint8Array): number {
  return createHash('sha256').update(bytes).digest().readUInt32LE(0);
}

/**
 * The image with its longest side scaled down to `size` as `preprocess` does it, rounded to `depth` bits. Smaller images
 * keep their size, because enlarging them would add bytes and nothing else.
 */
export function packImage(image: GrayImage, size: number, depth: 8 | 16): PackedImage {
  const shrinks = Math.max(image.width, image.height) > size;
  const { width, height } = shrinks ? resizedSize(image, size) : image;
  const { data } = shrinks ? resizeArea(image, width, height) : image;
  const full = 2 ** depth - 1;
  const level = (value: number): number => Math.round(Math.min(1, Math.max(0, value)) * full);
  const bytes = new Uint8Array(data.length * (depth / 8));
  for (let i = 0; i < data.length; i++) {
    const value = level(data[i] ?? 0);
    if (depth === 8) bytes[i] = value;
    else {
      bytes[2 * i] = value & 255;
      bytes[2 * i + 1] = value >> 8;
    }
  }
  return { width, height, bytes };
}

/** `bytes` has `width * height * depth / 8` entries. */
export function unpackImage({ width, height, bytes }: PackedImage, depth: 8 | 16): GrayImage {
  const data = new Float32Array(width * height);
  if (depth === 8) for (let i = 0; i < data.length; i++) data[i] = (bytes[i] ?? 0) / 255;
  else for (let i = 0; i < data.length; i++) data[i] = ((bytes[2 * i] ?? 0) + 256 * (bytes[2 * i + 1] ?? 0)) / 65535;
  return { width, height, data };
}

/** Throws DataError for a mask without pixels, or with more than a shard takes. */
export function packMask({ width, height, data }: Mask): Uint8Array {
  if (width < 1 || height < 1 || width > 65_535 || height > 65_535 || width * height > MAX_MASK_PIXELS) {
    throw new DataError(`the mask of ${width}x${height} pixels cannot be stored`);
  }
  const bits = new Uint8Array(Math.ceil((width * height) / 8));
  for (let i = 0; i < width * height; i++) if (data[i]) bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7));
  return deflateRawSync(bits);
}

/** Throws DataError that begins with `where` when the bytes are no mask of this size. */
export function unpackMask({ width, height, bytes }: PackedImage, where: string): Mask {
  const expected = Math.ceil((width * height) / 8);
  if (width * height > MAX_MASK_PIXELS) {
    throw new DataError(`${where}: a mask of ${width}x${height} pixels is larger than any that is stored. ${REMEDY}`);
  }
  let bits: Uint8Array;
  try {
    bits = inflateRawSync(bytes, { maxOutputLength: expected });
  } catch (error) {
    throw new DataError(
      `${where}: the mask cannot be unpacked (${error instanceof Error ? error.message : error}). ${REMEDY}`,
    );
  }
  if (bits.length !== expected) {
    throw new DataError(`${where}: expected a mask of ${expected} bytes, found ${bits.length}. ${REMEDY}`);
  }
  const data = new Uint8Array(width * height);
  for (let i = 0; i < data.length; i++) data[i] = ((bits[i >> 3] ?? 0) >> (i & 7)) & 1;
  return { width, height, data };
}
