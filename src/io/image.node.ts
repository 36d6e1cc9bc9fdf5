/** Image files in Node: as `image.ts`, with PNG and JPEG decoded by a native library that is several times faster. */
import { readFile } from 'node:fs/promises';
import { maskOfImage } from '../data/annotations/mask.ts';
import { DataError } from '../data/errors.ts';
import type { GrayImage, Mask } from '../data/types.ts';
import { nodeCodecs } from './codecs.node.ts';
import { orient, toGray } from './gray.ts';
import { decodeImage as decodeAnyImage, imageFormat } from './image.ts';
import { readJpegHeader } from './jpeg.ts';
import { loadOptional } from './optionalPackage.node.ts';
import { readPngHeader } from './png.ts';

/**
 * Decodes a PNG, JPEG or DICOM image, told apart by content, into the values that `decodeImage` of `image.ts` gives.
 * Throws DataError naming `source` when the bytes are no readable image.
 */
export async function decodeImage(bytes: Uint8Array, source: string): Promise<GrayImage> {
  const format = imageFormat(bytes, source);
  if (format === 'png') {
    const { bits } = readPngHeader(bytes, source);
    return decodeNatively(bytes, source, bits === 16);
  }
  if (format === 'jpeg') {
    const header = readJpegHeader(bytes, source);
    const native = header.bits === 8 && header.process !== 'lossless';
    if (native) return orient(await decodeNatively(bytes, source, false), header.orientation);
  }
  return decodeAnyImage(bytes, source, nodeCodecs);
}

/** Reads a PNG, JPEG or DICOM file as grey values in [0, 1]. @throws DataError beginning with `source` if it is broken or of no format that is read. */
export async function readImage(path: string, source = path): Promise<GrayImage> {
  return decodeImage(await readBytes(path, source), source);
}

/** A mask file; see `maskOfImage`. */
export async function readMask(path: string, source = path): Promise<Mask> {
  const bytes = await readBytes(path, source);
  if (imageFormat(bytes, source) === 'dicom') {
    throw new DataError(`${source}: expected a mask as PNG or JPEG, found a DICOM file.`);
  }
  return maskOfImage(await decodeImage(bytes, source));
}

/** Throws DataError naming `source` when the file cannot be read. */
export async function readBytes(path: string, source = path): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new DataError(`${source}: the file cannot be read (${error instanceof Error ? error.message : error}).`);
  }
}

async function decodeNatively(bytes: Uint8Array, source: string, wide: boolean): Promise<GrayImage> {
  const { default: sharp } = await loadOptional('sharp', () => import('sharp'), 'Decoding PNG and JPEG images in Node');
  try {
    // Colour profiles are ignored: radiographs are read as stored, as with other tools of the field.
    const image = sharp(bytes, { failOn: 'error', ignoreIcc: true });
    const { channels: stored } = await image.metadata();
    if (wide) image.toColourspace(stored >= 3 ? 'rgb16' : 'grey16');
    const { data, info } = await image.raw({ depth: wide ? 'ushort' : 'uchar' }).toBuffer({ resolveWithObject: true });
    const values = wide ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : data;
    return toGray({ ...info, data: values, full: wide ? 65535 : 255 });
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();
    throw new DataError(
      `${source}: expected a PNG, JPEG or DICOM image, but it cannot be decoded (${reason}). Replace the file or remove its row.`,
    );
  }
}
