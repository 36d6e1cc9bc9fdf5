/** PNG files in JavaScript: browsers' own decoders keep 8 bits of 16. */
import { convertIndexedToRgb, type DecodedPng, decode } from 'fast-png';
import { Unzlib } from 'fflate';
import { DataError } from '../data/errors.ts';
import { checkImageSize } from './codecs.ts';
import type { DecodedPixels } from './gray.ts';

export interface PngHeader {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  readonly colour: 'grey' | 'RGB' | 'palette' | 'grey with alpha' | 'RGB with alpha';
}

interface Chunk {
  readonly type: string;
  /** The whole chunk, and its content. */
  readonly bytes: Uint8Array;
  readonly content: Uint8Array;
}

const SIGNATURE = 8;
/** Chunks that decide about pixels. All others are left out, so that nothing in them is unpacked. */
const NEEDED = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);
const COLOURS: Readonly<Record<number, readonly [PngHeader['colour'], number]>> = {
  0: ['grey', 1],
  2: ['RGB', 3],
  3: ['palette', 1],
  4: ['grey with alpha', 2],
  6: ['RGB with alpha', 4],
};

/** Throws DataError beginning with `source` where the header is broken or claims an impossible size. */
export function readPngHeader(bytes: Uint8Array, source: string): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const colour = bytes.length >= 33 ? COLOURS[view.getUint8(25)]?.[0] : undefined;
  if (colour === undefined || view.getUint32(12) !== 0x49484452) {
    throw new DataError(`${source}: expected a header (IHDR) in the PNG file, found none. Replace the file.`);
  }
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  checkImageSize(width, height, bytes.length, source);
  return { width, height, bits: view.getUint8(24), colour };
}

/** Throws DataError beginning with `source` for files that are cut off or broken. */
export function decodePng(bytes: Uint8Array, source: string): DecodedPixels {
  const { width, height, bits } = readPngHeader(bytes, source);
  try {
    const chunks = [...readChunks(bytes)].filter(({ type }) => NEEDED.has(type));
    if (chunks.at(-1)?.type !== 'IEND') throw new Error('the file is cut off');
    checkUnpackedSize(chunks, COLOURS[bytes[25] ?? 0]?.[1] ?? 1, width, height, bits);
    const image = decode(concatenate([bytes.subarray(0, SIGNATURE), ...chunks.map((chunk) => chunk.bytes)]));
    return image.palette ? fromPalette(image) : withTransparentColour(unpackBits(image));
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
    throw new DataError(`${source}: the PNG file cannot be decoded (${reason}). Replace the file.`);
  }
}

function* readChunks(bytes: Uint8Array): Generator<Chunk> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) return;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    yield { type, bytes: bytes.subarray(at, end), content: bytes.subarray(at + 8, end - 4) };
    if (type === 'IEND') return;
    at = end;
  }
}

/** A few bytes can unpack to gigabytes; only as much is unpacked as the size in the header needs. */
function checkUnpackedSize(
  chunks: readonly Chunk[],
  channels: number,
  width: number,
  height: number,
  bits: number,
): void {
  // Interlaced images have up to seven passes, each with a filter byte and a rounded-up row.
  const most = (Math.ceil((width * channels * bits) / 8) + 2) * height * 2 + 1024;
  let total = 0;
  const stream = new Unzlib((part) => {
    total += part.length;
    if (total > most) throw new Error('it holds more data than its size needs');
  });
  for (const { type, content } of chunks) {
    if (type !== 'IDAT') continue;
    for (let at = 0; at < content.length; at += 65536) stream.push(content.subarray(at, at + 65536));
  }
  if (total < Math.ceil((width * channels * bits) / 8) * height) throw new Error('the file is cut off');
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function fromPalette(image: DecodedPng): DecodedPixels {
  const channels = image.palette?.[0]?.length ?? 3;
  return { width: image.width, height: image.height, channels, data: convertIndexedToRgb(image), full: 255 };
}

/** Grey of 1, 2 or 4 bits lies packed in rows of whole bytes. */
function unpackBits(image: DecodedPng): DecodedPng {
  const { width, height, depth, data } = image;
  if (depth >= 8) return image;
  const row = Math.ceil((width * depth) / 8);
  const pixels = Uint8Array.from({ length: width * height }, (_, i) => {
    const bit = (i % width) * depth;
    const byte = data[Math.floor(i / width) * row + (bit >> 3)] ?? 0;
    return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
  });
  return { ...image, data: pixels };
}

/** A single colour of a grey or RGB image can be marked transparent (tRNS). */
function withTransparentColour({ width, height, depth, channels, data, transparency }: DecodedPng): DecodedPixels {
  const full = 2 ** depth - 1;
  if (!transparency?.length) return { width, height, channels, data, full };
  const pixels = new Uint16Array(width * height * (channels + 1));
  for (let i = 0; i < width * height; i++) {
    let same = true;
    for (let channel = 0; channel < channels; channel++) {
      const value = data[i * channels + channel] ?? 0;
      pixels[i * (channels + 1) + channel] = value;
      same &&= value === transparency[channel];
    }
    pixels[i * (channels + 1) + channels] = same ? 0 : full;
  }
  return { width, height, channels: channels + 1, data: pixels, full };
}
