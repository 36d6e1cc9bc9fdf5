/** DICOM image files to stored samples and what is needed to show them. */
import type { DataSet, Element } from 'dicom-parser';
import { DataError } from '../../data/errors.ts';
import { type Codecs, checkImageSize } from '../codecs.ts';
import { type DicomHeader, readHeader } from './header.ts';
import { parseDicom } from './parse.ts';
import type { TransferSyntax } from './transferSyntax.ts';
import type { StoredImage, StoredSamples } from './voi.ts';

const BIG_ENDIAN = '1.2.840.10008.1.2.2';

/** The pixels of a DICOM file, with what is needed to show them. Nothing in it names a patient. */
export interface DicomImage extends StoredImage {
  readonly syntax: TransferSyntax;
  readonly header: DicomHeader;
}

/**
 * Decodes the first frame of a DICOM image. Grey values come out as stored: before rescale, window and MONOCHROME1
 * inversion, which `renderStored` applies. RGB and YBR become luma (ITU-R BT.601).
 *
 * @param codecs called only where the transfer syntax needs them.
 * @throws DataError beginning with `source` for files that are broken, hold no image, or are not read; the message then
 * names the transfer syntax.
 */
export async function decodeDicom(
  bytes: Uint8Array,
  source: string,
  codecs: () => Promise<Codecs>,
): Promise<DicomImage> {
  const { syntax, dataSet } = parseDicom(bytes, source);
  // Outside of what follows: that codecs cannot be loaded is no fault of the file.
  const loaded = syntax.encoding === 'native' ? undefined : await codecs();
  let image: { header: DicomHeader; samples: StoredSamples };
  try {
    const header = readHeader(dataSet, source);
    const pixels = dataSet.elements.x7fe00010;
    if (!pixels) throw new DataError(`${source}: the DICOM file has no Pixel Data (7FE0,0010), so it holds no image.`);
    checkImageSize(header.columns, header.rows, pixels.length, source);
    const bigEndian = syntax.uid === BIG_ENDIAN;
    const frame =
      syntax.encoding === 'native' || !loaded
        ? { bytes: nativeFrame(dataSet, pixels, header, bigEndian, source), planar: header.planar }
        : loaded.decode(syntax.encoding, firstFrame(dataSet, pixels, header, source), header, source);
    image = { header, samples: toSamples(frame.bytes, header, frame.planar, syntax, bigEndian) };
  } catch (error) {
    if (error instanceof DataError) throw error;
    // The parser reads values lazily and runs into the end of a file only here.
    const reason = typeof error === 'string' ? error : error instanceof Error ? error.message : String(error);
    throw new DataError(`${source}: the DICOM file cannot be read (${reason}). Replace the file.`);
  }
  const { header, samples } = image;
  return {
    syntax,
    header,
    width: header.columns,
    height: header.rows,
    samples,
    bitsStored: header.bitsStored,
    colour: header.samplesPerPixel === 3,
    inverted: header.photometric === 'MONOCHROME1',
    modality: header.modality,
    windows: header.windows,
    voiTables: header.voiTables,
    ...(header.padding ? { padding: header.padding } : {}),
  };
}

function nativeFrame(
  dataSet: DataSet,
  pixels: Element,
  header: DicomHeader,
  bigEndian: boolean,
  source: string,
): Uint8Array {
  const { columns, rows, samplesPerPixel, bitsAllocated, photometric } = header;
  if (photometric.startsWith('YBR_') && photometric !== 'YBR_FULL') {
    throw new DataError(
      `${source}: uncompressed images with the photometric interpretation "${photometric}" are not read.`,
    );
  }
  const length = columns * rows * samplesPerPixel * (bitsAllocated / 8);
  const there = Math.min(pixels.length, dataSet.byteArray.length - pixels.dataOffset);
  if (pixels.fragments !== undefined || there < length) {
    throw new DataError(
      `${source}: expected ${length} bytes of pixels for ${columns} x ${rows} in ${bitsAllocated} bits, ` +
        `found ${pixels.fragments ? 'encapsulated ones' : there}. The file is cut off or its header is wrong; replace it.`,
    );
  }
  const bytes = dataSet.byteArray.subarray(pixels.dataOffset, pixels.dataOffset + there);
  // Words of two 8-bit samples were turned with everything else (PS3.5, annex D).
  if (bigEndian && bitsAllocated === 8 && pixels.vr === 'OW') return swapPairs(bytes).subarray(0, length);
  return bytes.subarray(0, length);
}

function swapPairs(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes, (byte, i) => bytes[i ^ 1] ?? byte);
}

/** The encoded bytes of frame 1: its fragments, joined (PS3.5, A.4). */
function firstFrame(dataSet: DataSet, pixels: Element, { frames }: DicomHeader, source: string): Uint8Array {
  const { fragments = [], basicOffsetTable = [] } = pixels;
  if (fragments.length === 0) {
    throw new DataError(
      `${source}: expected encapsulated pixels, found none. The file is cut off or its header is wrong.`,
    );
  }
  let own = fragments;
  const next = basicOffsetTable[1];
  if (frames > 1 && next !== undefined) own = fragments.filter(({ offset }) => offset < next);
  else if (frames > 1 && fragments.length >= frames)
    own = fragments.slice(0, fragments.length === frames ? 1 : undefined);
  const parts = own.map(({ position, length }) => dataSet.byteArray.subarray(position, position + length));
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function toSamples(
  bytes: Uint8Array,
  header: DicomHeader,
  planar: boolean,
  { encoding }: TransferSyntax,
  bigEndian: boolean,
): StoredSamples {
  const { columns, rows, bitsAllocated, bitsStored, highBit, signed, samplesPerPixel, photometric } = header;
  const count = columns * rows;
  // Codecs convert YBR; uncompressed and run-length encoded YBR_FULL has the luma as its first sample.
  const lumaFirst = photometric === 'YBR_FULL' && (encoding === 'native' || encoding === 'rle');
  if (samplesPerPixel === 3) return toLuma(bytes, count, planar, lumaFirst);
  // Code streams hold samples without the place they had in a word.
  const shift = encoding === 'native' || encoding === 'rle' ? highBit + 1 - bitsStored : 0;
  const mask = 2 ** bitsStored - 1;
  const sign = signed ? 2 ** (bitsStored - 1) : 0;
  const samples = signed ? new Int16Array(count) : bitsAllocated === 8 ? new Uint8Array(count) : new Uint16Array(count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < count; i++) {
    const raw = bitsAllocated === 8 ? view.getUint8(i) : view.getUint16(2 * i, !bigEndian);
    const value = (raw >> shift) & mask;
    samples[i] = value & sign ? value - mask - 1 : value;
  }
  return samples;
}

function toLuma(bytes: Uint8Array, count: number, planar: boolean, lumaFirst: boolean): Float32Array {
  const [pixel, sample] = planar ? [1, count] : [3, 1];
  return Float32Array.from({ length: count }, (_, i) => {
    const at = (channel: number): number => bytes[i * pixel + channel * sample] ?? 0;
    return lumaFirst ? at(0) : 0.299 * at(0) + 0.587 * at(1) + 0.114 * at(2);
  });
}
