/** Image files of every kind that is read, told apart by their content. The same code in Node and browsers. */
import { DataError } from '../data/errors.ts';
import type { GrayImage } from '../data/types.ts';
import type { Codecs } from './codecs.ts';
import { decodeDicom } from './dicom/decode.ts';
import { isDicom } from './dicom/parse.ts';
import { renderStored } from './dicom/voi.ts';
import { orient, toGray } from './gray.ts';
import { decodeJpeg, readJpegHeader } from './jpeg.ts';
import { decodePng } from './png.ts';

/** What a file holds, told by its content. */
export type ImageFormat = 'png' | 'jpeg' | 'dicom';

/** Throws DataError beginning with `source` where the bytes are none of these. */
export function imageFormat(bytes: Uint8Array, source: string): ImageFormat {
  const begins = (...start: number[]): boolean => start.every((byte, i) => bytes[i] === byte);
  if (begins(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'png';
  if (begins(0xff, 0xd8, 0xff)) return 'jpeg';
  if (isDicom(bytes)) return 'dicom';
  throw new DataError(
    `${source}: expected a PNG, JPEG or DICOM image, but it cannot be decoded ` +
      `(${bytes.length === 0 ? 'the file is empty' : 'its content is something else'}). ` +
      'Replace the file or remove its row.',
  );
}

/**
 * Decodes an image into grey values as shown. PNG and JPEG: colour becomes luma (ITU-R BT.601), transparent parts lie on
 * black, the full range of the bit depth becomes [0, 1]; colour profiles are ignored, EXIF orientation is applied. DICOM:
 * first frame, with the file's first VOI LUT or window (`renderStored`); never flipped.
 *
 * @param source what messages call the file, e.g. its name and row.
 * @param codecs called only for JPEG files and compressed DICOM files; see `loadCodecs`.
 * @throws DataError beginning with `source` when the bytes are no readable image.
 */
export async function decodeImage(
  bytes: Uint8Array,
  source: string,
  codecs: () => Promise<Codecs>,
): Promise<GrayImage> {
  const format = imageFormat(bytes, source);
  if (format === 'dicom') return renderStored(await decodeDicom(bytes, source, codecs));
  if (format === 'png') return toGray(decodePng(bytes, source));
  const header = readJpegHeader(bytes, source);
  return orient(toGray(decodeJpeg(bytes, header, await codecs(), source)), header.orientation);
}
