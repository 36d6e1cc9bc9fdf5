import { fileFinder } from '../../../src/data/annotations/fileNames.ts';
import type { PlannedImage } from '../../../src/data/annotations/plan.ts';
import { DataError } from '../../../src/data/errors.ts';
import { unreadableWords } from '../../../src/data/text/phraseWords.ts';
import { drawFinding, type FindingOptions } from '../../../src/eval/finding.ts';
import type { FindingsRow } from '../../../src/eval/findingsTable.ts';
import { localizeImage } from '../../../src/eval/localizeImage.ts';
import type { ColorScale, RgbaImage } from '../../../src/eval/overlay.ts';
import type { Checkpoint } from './checkpoint.ts';
import type { Engine } from './engine.ts';
import { openImage } from './openImage.ts';
import { readMask } from './truth.ts';

/** One of many images, with what is wanted of it. */
export interface FileTask {
  readonly planned: PlannedImage;
  /** Of the image among all, from 1 on. */
  readonly number: number;
  readonly image: File;
  /** Masks that its phrases name, by path. */
  readonly masks: ReadonlyMap<string, File>;
  readonly look: Pick<FindingOptions, 'preset' | 'threshold'> & {
    readonly colors: ColorScale;
    readonly opacity: number;
  };
}

/** Rows of the table of findings, and the maps that they name as PNG. */
export interface FileFindings {
  readonly rows: readonly FindingsRow[];
  readonly pictures: readonly { readonly name: string; readonly png: Uint8Array }[];
}

/** Looks for the phrases of one of many images, at its full size, as `groundray localize --images` does. */
export async function localizeFile(
  { planned, number, image, masks, look }: FileTask,
  engine: Engine,
  { config, tokenizer, calibration }: Checkpoint,
): Promise<FileFindings> {
  const options = { ...look, sigma: config.sigma, calibration };
  const findMask = fileFinder([...masks.keys()]);
  const found = await localizeImage(
    planned,
    number,
    {
      loadImage: async (file) => (await openImage(image, file)).image,
      loadMask: async (name, where) => {
        const path = masks.has(name) ? name : findMask(name);
        const file = path === undefined ? undefined : masks.get(path);
        if (!file) throw new DataError(`${where}: expected a mask at "${name}", found no such file.`);
        return readMask(file, path);
      },
      unreadableWords: (phrase) => unreadableWords(phrase, tokenizer),
      localize: (gray, phrases) => engine.findIn(gray, phrases),
    },
    options,
  );
  const pictures: FileFindings['pictures'][number][] = [];
  for (const each of found) {
    if (!('finding' in each)) continue;
    const { row, finding, image: gray, mask } = each;
    const picture = drawFinding(gray, finding, { ...options, ...(mask ? { mask } : {}) });
    pictures.push({ name: row.picture, png: await pngBytes(picture) });
  }
  return { rows: found.map(({ row }) => row), pictures };
}

async function pngBytes({ data, width, height }: RgbaImage): Promise<Uint8Array> {
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext('2d')?.putImageData(new ImageData(data, width, height), 0, 0);
  return new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer());
}
