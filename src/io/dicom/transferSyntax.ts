import { DataError } from '../../data/errors.ts';
import type { Codec } from '../codecs.ts';

export interface TransferSyntax {
  readonly uid: string;
  readonly name: string;
  /** How the pixels are encoded: `native` is uncompressed. */
  readonly encoding: 'native' | Codec;
}

const prefix = '1.2.840.10008.1.2';

/** UID below the prefix, name (DICOM PS3.6, table A-1), encoding where it is read. */
const known: readonly (readonly [string, string, TransferSyntax['encoding']?])[] = [
  ['', 'Implicit VR Little Endian', 'native'],
  ['.1', 'Explicit VR Little Endian', 'native'],
  ['.1.99', 'Deflated Explicit VR Little Endian', 'native'],
  ['.2', 'Explicit VR Big Endian', 'native'],
  ['.5', 'RLE Lossless', 'rle'],
  ['.4.50', 'JPEG Baseline (Process 1)', 'jpeg'],
  ['.4.51', 'JPEG Extended (Process 2 and 4)', 'jpeg'],
  ['.4.57', 'JPEG Lossless, Non-Hierarchical (Process 14)', 'jpeg'],
  ['.4.70', 'JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])', 'jpeg'],
  ['.4.80', 'JPEG-LS Lossless', 'jpeg-ls'],
  ['.4.81', 'JPEG-LS Lossy (Near-Lossless)', 'jpeg-ls'],
  ['.4.90', 'JPEG 2000 (Lossless Only)', 'jpeg2000'],
  ['.4.91', 'JPEG 2000', 'jpeg2000'],
  ['.1.98', 'Encapsulated Uncompressed Explicit VR Little Endian'],
  ['.4.92', 'JPEG 2000 Part 2 Multi-component (Lossless Only)'],
  ['.4.93', 'JPEG 2000 Part 2 Multi-component'],
  ['.4.94', 'JPIP Referenced'],
  ['.4.95', 'JPIP Referenced Deflate'],
  ['.4.100', 'MPEG2 Main Profile / Main Level'],
  ['.4.101', 'MPEG2 Main Profile / High Level'],
  ['.4.102', 'MPEG-4 AVC/H.264 High Profile / Level 4.1'],
  ['.4.107', 'HEVC/H.265 Main Profile / Level 5.1'],
  ['.4.110', 'JPEG XL Lossless'],
  ['.4.111', 'JPEG XL JPEG Recompression'],
  ['.4.112', 'JPEG XL'],
  ['.4.201', 'High-Throughput JPEG 2000 (Lossless Only)'],
  ['.4.202', 'High-Throughput JPEG 2000 with RPCL Options (Lossless Only)'],
  ['.4.203', 'High-Throughput JPEG 2000'],
  ['.8.1', 'Deflated Image Frame Compression'],
];

/** Throws DataError naming UID and name of a transfer syntax that is not read. */
export function transferSyntax(uid: string, source: string): TransferSyntax {
  const [, name, encoding] = known.find(([end]) => uid === prefix + end) ?? [];
  if (name !== undefined && encoding !== undefined) return { uid, name, encoding };
  const label = name === undefined ? `"${uid}" (unknown)` : `${uid} (${name})`;
  throw new DataError(
    `${source}: DICOM files with the transfer syntax ${label} are not read. Convert the file to Explicit VR Little Endian.`,
  );
}
