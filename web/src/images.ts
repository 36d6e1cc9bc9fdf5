import { renderImage, renderMask } from '../../src/data/phantom/render.ts';
import { phantomStudy } from '../../src/data/phantom/study.ts';
import type { GrayImage, Mask } from '../../src/data/types.ts';
import type { DicomImage } from '../../src/io/dicom/decode.ts';

/** A place in an image that somebody marked. */
export interface TruthFinding {
  /** Absent: it holds for whatever is looked for. */
  readonly phrase?: string;
  /** Of the image's size. */
  readonly mask: Mask;
}

/** A finding of a sample, whose place is known because it was drawn there. */
export interface KnownFinding extends TruthFinding {
  readonly phrase: string;
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

/** Studies of the phantom test split, which training never saw; together they have all classes of findings. */
export const SAMPLES: readonly number[] = [14, 0, 9, 10, 19, 12];
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
