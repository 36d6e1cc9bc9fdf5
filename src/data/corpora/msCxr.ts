/** Phrases with boxes as MS-CXR has them: a table, or COCO with a `label_text` for each box. */
import * as z from 'zod';
import type { TableRow } from '../csv.ts';
import { DataError } from '../errors.ts';
import { splitNamed } from '../splits.ts';
import type { Box, Split } from '../types.ts';
import type { RecordPhrase } from './corpus.ts';
import { checkJson } from './json.ts';

/** One box with its phrase, from either format. */
export interface PhraseBox {
  readonly path: string;
  readonly dicom: string;
  readonly category: string;
  readonly phrase: string;
  readonly box: Box;
  readonly width: number;
  readonly height: number;
  readonly split: Split | undefined;
}

/** Boxes with one phrase and one class are one region. */
export function unitePhrases(annotations: readonly PhraseBox[]): RecordPhrase[] {
  const groups = new Map<string, PhraseBox[]>();
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
export const msCxrRow = z.object({
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

export const msCxrColumns = [
  ...(['category_name', 'label_text', 'path', 'x', 'y', 'w', 'h', 'image_width', 'image_height'] as const),
];

/** Rows of MS-CXR's table, checked with `msCxrRow`. */
export function boxesOfRows(rows: readonly TableRow<z.infer<typeof msCxrRow>>[]): PhraseBox[] {
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
      label_text: z.string().trim().min(1).optional(),
    }),
  ),
});

/** Boxes of a COCO file; where one has no `label_text`, its category is the phrase. Throws DataError that names `source` and the field that is wrong. */
export function boxesOfCoco(json: unknown, source: string): PhraseBox[] {
  const { images, categories, annotations } = checkJson(json, coco, source);
  const imageOf = new Map(images.map((image) => [image.id, image]));
  const nameOf = new Map(categories.map(({ id, name }) => [id, name]));
  return annotations.map((annotation, i) => {
    const image = imageOf.get(annotation.image_id);
    const file = image?.path ?? image?.file_name;
    const category = nameOf.get(annotation.category_id);
    const [width, height] = [annotation.width ?? image?.width, annotation.height ?? image?.height];
    if (!image || !file || !category || !width || !height) {
      const what = !image ? 'image_id' : !file ? 'path' : !category ? 'category_id' : 'width and height';
      throw new DataError(`${source}, annotation ${i}: expected a known ${what}, found none.`);
    }
    const [x, y, w, h] = annotation.bbox;
    return {
      path: file,
      dicom: stem(file),
      category: category.toLowerCase(),
      phrase: annotation.label_text ?? category,
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
