/** What an image file is, for people who check their data. */
import type { GrayImage } from '../data/types.ts';
import type { Codecs } from './codecs.ts';
import { type DicomImage, decodeDicom } from './dicom/decode.ts';
import { renderStored, type VoiChoice, valueRange } from './dicom/voi.ts';
import { decodeImage, imageFormat } from './image.ts';
import { readJpegHeader } from './jpeg.ts';
import { readPngHeader } from './png.ts';

export interface ImageInfo {
  readonly format: 'PNG' | 'JPEG' | 'DICOM';
  /** Size as decoded, after EXIF orientation. */
  readonly width: number;
  readonly height: number;
  /** What else the file says of itself: label and value, in the order to print. Nothing that names a patient. */
  readonly details: Readonly<Record<string, string | number>>;
}

/**
 * Decodes a file and describes it. `voi` chooses what a DICOM file shows, and is ignored by other formats.
 * Throws DataError as `decodeImage`, RangeError for a window that cannot be applied.
 */
export async function inspectImage(
  bytes: Uint8Array,
  source: string,
  codecs: () => Promise<Codecs>,
  voi?: (image: DicomImage) => VoiChoice,
): Promise<{ info: ImageInfo; image: GrayImage }> {
  const format = imageFormat(bytes, source);
  if (format === 'dicom') {
    const dicom = await decodeDicom(bytes, source, codecs);
    const image = voi ? renderStored(dicom, voi(dicom)) : renderStored(dicom);
    return { image, info: { format: 'DICOM', width: image.width, height: image.height, details: dicomDetails(dicom) } };
  }
  const image = await decodeImage(bytes, source, codecs);
  const size = { width: image.width, height: image.height };
  if (format === 'png') {
    const { bits, colour } = readPngHeader(bytes, source);
    return { image, info: { format: 'PNG', ...size, details: { bits, colour } } };
  }
  const { bits, components, process = 'baseline', orientation } = readJpegHeader(bytes, source);
  const details = { bits, colour: components === 1 ? 'grey' : 'RGB', process, orientation };
  return { image, info: { format: 'JPEG', ...size, details } };
}

function dicomDetails(image: DicomImage): ImageInfo['details'] {
  const { syntax, header, modality, windows, voiTables } = image;
  const [least, most] = valueRange(image).map((value) => Math.round(value * 100) / 100);
  const optional: readonly (readonly [string, string | undefined])[] = [
    ['modality', header.device],
    ['view', header.viewPosition],
    ['patient orientation', header.patientOrientation],
    ['laterality', header.laterality],
  ];
  return {
    'transfer syntax': `${syntax.uid} (${syntax.name})`,
    photometric: header.photometric,
    bits: `${header.bitsStored} stored of ${header.bitsAllocated}, ${header.signed ? 'signed' : 'unsigned'}`,
    'stored values': `${least} to ${most}`,
    ...(header.frames > 1 ? { frames: `${header.frames}, of which the first is read` } : {}),
    rescale: 'data' in modality ? 'lookup table' : `slope ${modality.slope}, intercept ${modality.intercept}`,
    'VOI lookup tables': voiTables.length,
    windows:
      windows
        .map(({ center, width, function: name, explanation }) => {
          return `${center},${width} ${name}${explanation ? ` (${explanation})` : ''}`;
        })
        .join('; ') || 'none',
    ...Object.fromEntries(optional.filter((entry): entry is readonly [string, string] => entry[1] !== undefined)),
  };
}
