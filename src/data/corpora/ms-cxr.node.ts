/** MS-CXR (B. Boecking et al., PhysioNet): phrases of radiologists with boxes, on images of MIMIC-CXR. CSV or COCO JSON. */
import { basename } from 'node:path';
import { z } from 'zod';
import { readTable } from '../csv.node.ts';
import { DataError } from '../errors.ts';
import { splitNamed } from '../splits.ts';
import type { Box, Split } from '../types.ts';
import type { Corpus, CorpusItem, CorpusLocation, ReadOptions, RecordPhrase } from './corpus.ts';
import { checkFolder, createImageFinder, findMatching, readJson } from './files.node.ts';
import { checkJson } from './json.ts';
import { readSplitFile } from './splitFile.node.ts';

/** One box with its phrase, from either format. */
interface Annotation {
  readonly path: string;
  readonly dicom: string;
  readonly category: string;
  readonly phrase: string;
  readonly box: Box;
  readonly width: number;
  readonly height: number;
  readonly split: Split | undefined;
}

const PUBLISHED = { pairs: 1162, images: 1047 };

export const msCxr: Corpus = {
  name: 'ms-cxr',
  description: 'phrases of radiologists with boxes on MIMIC-CXR; physionet.org/content/ms-cxr, credentialed access',
  purpose: 'evaluation',
  imageRoot: ({ root, images }) => images ?? root,
  read: readMsCxr,
};

async function* readMsCxr(
  location: CorpusLocation,
  { onProgress, signal }: ReadOptions = {},
): AsyncGenerator<CorpusItem> {
  const { root, splitFile } = location;
  checkFolder(root, 'ms-cxr');
  const csv = findNewest(root, 'csv');
  const json = findNewest(root, 'json');
  if (!csv && !json) {
    throw new DataError(`${root}: expected MS_CXR_Local_Alignment_v1.0.0.csv or .json (or v1.1.0), found neither.`);
  }
  const source = csv ?? json ?? '';
  const listed = splitFile ? await readSplitFile(splitFile) : undefined;
  const byImage = new Map<string, Annotation[]>();
  for (const annotation of csv ? await readCsv(csv) : readCoco(source)) {
    const own = byImage.get(annotation.dicom) ?? [];
    own.push(annotation);
    byImage.set(annotation.dicom, own);
  }
  const finder = createImageFinder(location.images ?? root, { prefixes: ['files/', ''] });
  let pairs = 0;
  let done = 0;
  for (const [id, annotations] of byImage) {
    signal?.throwIfAborted();
    onProgress?.('looking for images', ++done, byImage.size);
    const phrases = unitePhrases(annotations);
    pairs += phrases.length;
    const [first] = annotations;
    const split = listed ? listed(id) : (first?.split ?? 'test');
    const image = first && split && finder.find(first.path);
    if (!first || !split || !image) {
      yield { dropped: { id, reason: split ? 'there is no image' : 'the split file does not have it' } };
      continue;
    }
    const [, patientId = id, studyId = id] = /(?:^|\/)p(\d+)\/s(\d+)\/[^/]*$/.exec(first.path) ?? [];
    yield { record: { id, patientId, studyId, image, view: 'frontal', split, phrases } };
  }
  if (byImage.size > 0 && !finder.any()) {
    throw new DataError(
      `${location.images ?? root}: expected the images of MIMIC-CXR, such as "${[...byImage.values()][0]?.[0]?.path}", ` +
        'found none. Say where they are with --images (or images=... behind --data ms-cxr:...).',
    );
  }
  const isPublished = pairs === PUBLISHED.pairs && byImage.size === PUBLISHED.images;
  yield {
    note:
      `ms-cxr: ${basename(source)}, ${pairs.toLocaleString('en')} phrases on ${byImage.size.toLocaleString('en')} images; ` +
      `${isPublished ? 'as published' : '1,162 on 1,047 are published'}.`,
  };
}

/** v1.1.0 before v1.0.0. */
function findNewest(root: string, extension: string): string | undefined {
  const versions = ['[_-]v?1\\.1\\.0', '[_-]v?1\\.0\\.0', '.*'];
  for (const version of versions) {
    const found = findMatching(root, new RegExp(`^MS[_-]CXR_Local_Alignment${version}\\.${extension}$`, 'i'));
    if (found) return found;
  }
  return undefined;
}

/** Boxes with one phrase and one class are one region. */
function unitePhrases(annotations: readonly Annotation[]): RecordPhrase[] {
  const groups = new Map<string, Annotation[]>();
  for (const annotation of annotations) {
    const key = JSON.stringify([annotation.phrase, annotation.category]);
    groups.set(key, [...(groups.get(key) ?? []), annotation]);
  }
  return [...groups.values()].flatMap((group): RecordPhrase[] => {
    const [first] = group;
    if (!first) return [];
    const { phrase, category, width, height } = first;
    return [{ phrase, category, region: { kind: 'boxes', boxes: group.map(({ box }) => box), width, height } }];
  });
}

const pixels = z
  .string()
  .trim()
  .min(1, 'a number of pixels')
  .transform(Number)
  .refine((value) => Number.isFinite(value), 'a number of pixels');
const side = pixels.refine((value) => Number.isInteger(value) && value > 0 && value <= 65536, 'a size in pixels');
const csvRow = z.object({
  category_name: z.string().trim().min(1, 'the name of a class'),
  label_text: z.string().trim().min(1, 'a phrase'),
  path: z.string().trim().min(1, 'the path of an image'),
  x: pixels,
  y: pixels,
  w: pixels.refine((value) => value > 0, 'a width above 0'),
  h: pixels.refine((value) => value > 0, 'a height above 0'),
  image_width: side,
  image_height: side,
  dicom_id: z.string().optional(),
  split: z
    .string()
    .refine((value) => value.trim() === '' || splitNamed(value) !== undefined, 'train, val or test')
    .optional(),
});

async function readCsv(path: string): Promise<Annotation[]> {
  const required = ['category_name', 'label_text', 'path', 'x', 'y', 'w', 'h', 'image_width', 'image_height'] as const;
  const { rows } = await readTable(path, csvRow, required);
  return rows.map(({ values: v }) => ({
    path: v.path,
    dicom: v.dicom_id?.trim() || stem(v.path),
    category: v.category_name.toLowerCase(),
    phrase: v.label_text,
    box: { x: v.x, y: v.y, width: v.w, height: v.h },
    width: v.image_width,
    height: v.image_height,
    split: splitNamed(v.split ?? ''),
  }));
}

const positive = z.number().int().positive().max(65536);
const key = z.union([z.number(), z.string()]);
const coco = z.object({
  images: z.array(
    z.object({
      id: key,
      path: z.string().optional(),
      file_name: z.string().optional(),
      width: positive.optional(),
      height: positive.optional(),
      split: z.string().nullish(),
    }),
  ),
  categories: z.array(z.object({ id: key, name: z.string().min(1) })),
  annotations: z.array(
    z.object({
      image_id: key,
      category_id: key,
      bbox: z.tuple([z.number(), z.number(), z.number().positive(), z.number().positive()]),
      width: positive.optional(),
      height: positive.optional(),
      label_text: z.string().trim().min(1),
    }),
  ),
});

function readCoco(path: string): Annotation[] {
  const { images, categories, annotations } = checkJson(readJson(path), coco, path);
  const imageOf = new Map(images.map((image) => [image.id, image]));
  const nameOf = new Map(categories.map(({ id, name }) => [id, name]));
  return annotations.map((annotation, i) => {
    const image = imageOf.get(annotation.image_id);
    const file = image?.path ?? image?.file_name;
    const category = nameOf.get(annotation.category_id);
    const [width, height] = [annotation.width ?? image?.width, annotation.height ?? image?.height];
    if (!image || !file || !category || !width || !height) {
      const what = !image ? 'image_id' : !file ? 'path' : !category ? 'category_id' : 'width and height';
      throw new DataError(`${basename(path)}, annotation ${i}: expected a known ${what}, found none.`);
    }
    const [x, y, w, h] = annotation.bbox;
    return {
      path: file,
      dicom: stem(file),
      category: category.toLowerCase(),
      phrase: annotation.label_text,
      box: { x, y, width: w, height: h },
      width,
      height,
      split: splitNamed(image.split ?? ''),
    };
  });
}

function stem(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.[^.]*$/, '');
}
