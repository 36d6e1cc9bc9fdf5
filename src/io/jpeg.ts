/** JPEG files without an operating system's decoder. */
import { DataError } from '../data/errors.ts';
import { type Codecs, checkImageSize, checkScans } from './codecs.ts';
import { type CodestreamSize, codestreamSize, jpegSegments } from './codestream.ts';
import type { DecodedPixels, Orientation } from './gray.ts';

export interface JpegHeader extends CodestreamSize {
  readonly orientation: Orientation;
  /** False where three components are stored as RGB (Adobe marker without transform). */
  readonly ybr: boolean;
}

/** Throws DataError beginning with `source` where the header is broken, or the image is not read. */
export function readJpegHeader(bytes: Uint8Array, source: string): JpegHeader {
  const size = codestreamSize('jpeg', bytes);
  if (!size) {
    throw new DataError(
      `${source}: the JPEG file has no readable frame header (baseline, progressive, lossless). Replace the file.`,
    );
  }
  const { columns, rows, components, bits } = size;
  checkImageSize(columns, rows, bytes.length, source);
  checkScans(bytes, source);
  if ((components !== 1 && components !== 3) || bits < 2 || bits > 16 || (components === 3 && bits !== 8)) {
    throw new DataError(
      `${source}: expected a grey or RGB JPEG, found ${components} components of ${bits} bits` +
        `${components === 4 ? ' (CMYK)' : ''}. Convert it to grey.`,
    );
  }
  let orientation: Orientation = 1;
  let ybr = components === 3;
  for (const { marker, start, end } of jpegSegments(bytes)) {
    const content = bytes.subarray(start, end);
    if (marker === 0xe1) orientation = exifOrientation(content) ?? orientation;
    else if (marker === 0xee && content.length >= 12 && ascii(content, 0, 5) === 'Adobe') ybr &&= content[11] !== 0;
  }
  return { ...size, orientation, ybr };
}

/** Decodes as stored; the orientation is still to be applied. Throws DataError where the data are broken. */
export function decodeJpeg(bytes: Uint8Array, header: JpegHeader, codecs: Codecs, source: string): DecodedPixels {
  const { columns, rows, components, bits, ybr } = header;
  const wide = bits > 8;
  const layout = {
    columns,
    rows,
    samplesPerPixel: components,
    bitsAllocated: wide ? 16 : 8,
    bitsStored: bits,
    signed: false,
    photometric: components === 1 ? 'MONOCHROME2' : ybr ? 'YBR_FULL' : 'RGB',
  };
  const { bytes: pixels } = codecs.decode('jpeg', bytes, layout, source);
  const data = wide ? new Uint16Array(pixels.buffer, pixels.byteOffset, columns * rows * components) : pixels;
  return { width: columns, height: rows, channels: components, data, full: 2 ** bits - 1 };
}

/** Tag 274 of the first directory of an EXIF segment (CIPA DC-008, 4.6); undefined where there is none. */
function exifOrientation(content: Uint8Array): Orientation | undefined {
  if (content.length < 14 || ascii(content, 0, 4) !== 'Exif') return undefined;
  const view = new DataView(content.buffer, content.byteOffset + 6, content.byteLength - 6);
  const little = ascii(content, 6, 8) === 'II';
  const directory = view.getUint32(4, little);
  if (directory + 2 > view.byteLength) return undefined;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > view.byteLength) return undefined;
    if (view.getUint16(entry, little) !== 274) continue;
    const value = view.getUint16(entry + 8, little);
    return value >= 1 && value <= 8 ? (value as Orientation) : undefined;
  }
  return undefined;
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}
