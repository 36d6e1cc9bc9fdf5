import codecsAddress from 'dcmjs-codecs/build/dcmjs-native-codecs.wasm?url';
import { renderImage, renderMask } from '../../src/data/phantom/render.ts';
import { phantomStudy } from '../../src/data/phantom/study.ts';
import type { GrayImage, Mask } from '../../src/data/types.ts';
import { type Codecs, loadCodecs } from '../../src/io/codecs.ts';
import { type DicomImage, decodeDicom } from '../../src/io/dicom/decode.ts';
import { renderStored } from '../../src/io/dicom/voi.ts';
import { decodeImage, imageFormat } from '../../src/io/image.ts';

/** A finding of a sample, whose place is known because it was drawn there. */
export interface KnownFinding {
  readonly phrase: string;
  readonly mask: Mask;
}

export interface OpenedImage {
  readonly name: string;
  /** As the model sees it: a DICOM file through its own window. */
  readonly image: GrayImage;
  /** Stored values, where the file is DICOM. */
  readonly dicom?: DicomImage;
  readonly report?: string;
  readonly known: readonly KnownFinding[];
}

let codecs: Promise<Codecs> | undefined;

/** The decoders of JPEG and compressed DICOM (4 MB), fetched once; after a failure the next call tries again. */
export function pageCodecs(): Promise<Codecs> {
  codecs ??= fetch(codecsAddress)
    .then(async (response) => {
      if (!response.ok) throw new Error(`The image decoders could not be loaded (HTTP ${response.status}).`);
      return loadCodecs(await response.arrayBuffer());
    })
    .catch((error: unknown) => {
      codecs = undefined;
      throw error;
    });
  return codecs;
}

/** Opens a PNG, JPEG or DICOM file. @throws DataError that begins with its name. */
export async function openImage(file: File): Promise<OpenedImage> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (imageFormat(bytes, file.name) !== 'dicom') {
    return { name: file.name, image: await decodeImage(bytes, file.name, pageCodecs), known: [] };
  }
  const dicom = await decodeDicom(bytes, file.name, pageCodecs);
  return { name: file.name, image: renderStored(dicom), dicom, known: [] };
}

/** Studies of the phantom test split, which training never saw; together they have all classes of findings. */
export const SAMPLES: readonly number[] = [0, 9, 10, 14, 19, 12];
const sampleSide = 256;

/** Draws a synthetic radiograph with its report and the places of its findings. */
export function openSample(index: number): OpenedImage {
  const { scene, lesions, report } = phantomStudy(0, 'test', index);
  return {
    name: `sample ${SAMPLES.indexOf(index) + 1} (synthetic)`,
    image: renderImage(scene, sampleSide),
    report,
    known: lesions.map(({ lesion, wording }) => ({
      phrase: wording.phrase,
      mask: renderMask(scene, lesion, sampleSide),
    })),
  };
}
