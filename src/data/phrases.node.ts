/** `phrases.csv`: phrases and the regions they name, as masks or boxes. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { readMask } from '../io/image.node.ts';
import { readTable } from './csv.node.ts';
import { pixelsCell, type TableRow } from './csv.ts';
import { DataError } from './errors.ts';
import { boxesToMask, uniteMasks } from './regions.ts';
import type { Box, GroundedPhrase, Mask } from './types.ts';

const phraseSchema = z.object({
  image_id: z.string().trim().min(1, 'an id of manifest.csv'),
  phrase: z.string().trim().min(1, 'the words to look for'),
  category: z.string().optional(),
  sentence: z.string().optional(),
  mask_classes: z.string().optional(),
  mask_file: z.string().trim().optional(),
  x: pixelsCell,
  y: pixelsCell,
  width: pixelsCell,
  height: pixelsCell,
});
type PhraseRow = TableRow<z.infer<typeof phraseSchema>>;

/** Columns that are no attributes of a phrase. */
const OWN_COLUMNS = new Set([...Object.keys(phraseSchema.shape), 'phrase_id', 'mask_area']);

/**
 * Reads the table. The region of a row is its `mask_file`, else its box, else the union of `masks/<image_id>__<class>.png`
 * over the classes in `mask_classes` ("a+b"). Rows with boxes alone are united when image and phrase are the same. All
 * other columns become attributes. Throws DataError for unknown images and regions that are not there.
 */
export async function readPhrases(
  path: string,
  image: { has: (id: string) => boolean; size: (id: string) => Promise<{ width: number; height: number }> },
): Promise<GroundedPhrase[]> {
  const table = await readTable(path, phraseSchema, ['image_id', 'phrase']);
  const folder = dirname(path);
  const boxGroups = new Map<string, Box[]>();
  const phrases: GroundedPhrase[] = [];
  for (const row of table.rows) {
    const { image_id: studyId, phrase, mask_classes: classes } = row.values;
    const where = `phrases.csv row ${row.number}`;
    if (!image.has(studyId)) {
      throw new DataError(`${where}, column "image_id": expected an id of manifest.csv, found "${studyId}".`);
    }
    const attributes = Object.fromEntries(
      Object.entries(row.raw).filter(([column, value]) => !OWN_COLUMNS.has(column) && value !== ''),
    );
    const category = (row.values.category || classes || 'finding').trim();
    const sentence = row.values.sentence ? { sentence: row.values.sentence } : {};
    const base = { studyId, phrase, category, attributes, ...sentence };
    const files = maskFiles(row, folder, where);
    if (files.length > 0) {
      phrases.push({ ...base, loadMask: () => loadMasks(folder, files, where) });
      continue;
    }
    const box = boxOf(row, where);
    const key = JSON.stringify([studyId, phrase, base.category]);
    const group = boxGroups.get(key);
    if (group) {
      group.push(box);
      continue;
    }
    const boxes = [box];
    boxGroups.set(key, boxes);
    phrases.push({ ...base, loadMask: async () => boxesToMask(boxes, await image.size(studyId)) });
  }
  return phrases;
}

/** Mask files of a row, relative to the folder; empty where the row has a box instead. */
function maskFiles(row: PhraseRow, folder: string, where: string): string[] {
  const { mask_file: file, image_id: id, mask_classes: classes, x } = row.values;
  const files = file
    ? [file]
    : x === undefined && classes
      ? classes.split('+').map((name) => join('masks', `${id}__${name.trim()}.png`))
      : [];
  for (const each of files) {
    if (!existsSync(join(folder, each))) {
      const column = file ? 'mask_file' : 'mask_classes';
      throw new DataError(`${where}, column "${column}": expected a mask at "${each}", found no such file.`);
    }
  }
  return files;
}

function boxOf(row: PhraseRow, where: string): Box {
  const { x, y, width, height } = row.values;
  if (x === undefined || y === undefined || width === undefined || height === undefined) {
    throw new DataError(
      `${where}: expected a region as "mask_file", as "x", "y", "width" and "height", or as "mask_classes"; found none.`,
    );
  }
  if (width <= 0 || height <= 0) {
    throw new DataError(`${where}: expected a box with positive width and height, found ${width} x ${height}.`);
  }
  return { x, y, width, height };
}

async function loadMasks(folder: string, files: readonly string[], where: string): Promise<Mask> {
  return uniteMasks(await Promise.all(files.map((file) => readMask(join(folder, file), `${file} (${where})`))));
}
