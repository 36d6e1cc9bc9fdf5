/** Decoding of PNG and JPEG files into grey images. */
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { DataError } from '../data/errors.ts';
import type { GrayImage, Mask } from '../data/types.ts';

/**
 * Reads an image of 8 or 16 bits, grey, RGB or palette, with or without alpha. Colour becomes luma (ITU-R BT.601),
 * transparent parts lie on black, and the full range of the bit depth becomes [0, 1].
 * Throws DataError naming `source` when the bytes are no readable image.
 */
export async function decodeImage(bytes: Uint8Array, source: string): Promise<GrayImage> {
  try {
    const image = sharp(bytes, { failOn: 'error' });
    const { depth, hasAlpha, channels: stored } = await image.metadata();
    const wide = depth === 'ushort';
    if (wide) image.toColourspace(stored >= 3 ? 'rgb16' : 'grey16');
    const { data, info } = await image.raw({ depth: wide ? 'ushort' : 'uchar' }).toBuffer({ resolveWithObject: true });
    const values = wide ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data;
    return toGray(values, info.width, info.height, info.channels, hasAlpha ?? false, wide ? 65535 : 255);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();
    throw new DataError(
      `${source}: expected a PNG or JPEG image, but it cannot be decoded (${reason}). Replace the file or remove its row.`,
    );
  }
}

export async function readImage(path: string, source = path): Promise<GrayImage> {
  return decodeImage(await readBytes(path, source), source);
}

/** A mask file: pixels above half of the brightest are 1, so that 0/1 and 0/255 files both work. */
export async function readMask(path: string, source = path): Promise<Mask> {
  const { width, height, data } = await readImage(path, source);
  const threshold = data.reduce((most, value) => Math.max(most, value), 0) / 2;
  return { width, height, data: Uint8Array.from(data, (value) => (value > threshold ? 1 : 0)) };
}

async function readBytes(path: string, source: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new DataError(`${source}: the file cannot be read (${error instanceof Error ? error.message : error}).`);
  }
}

function toGray(
  values: ArrayLike<number>,
  width: number,
  height: number,
  channels: number,
  hasAlpha: boolean,
  full: number,
): GrayImage {
  const colours = hasAlpha && channels % 2 === 0 ? channels - 1 : channels;
  const data = new Float32Array(width * height);
  for (let i = 0; i < data.length; i++) {
    const at = (channel: number): number => values[i * channels + channel] ?? 0;
    const gray = colours >= 3 ? 0.299 * at(0) + 0.587 * at(1) + 0.114 * at(2) : at(0);
    data[i] = colours === channels ? gray / full : (gray * at(channels - 1)) / (full * full);
  }
  return { width, height, data };
}
