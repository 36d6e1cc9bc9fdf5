/** Annotations in the formats that people have: a table of one's own, RSNA, MS-CXR, NIH, COCO, LabelMe, ChestX-Det, CheXlocalize. */
import { parse } from 'csv-parse/browser/esm/sync';
import * as z from 'zod';
import { outlinesOf, segmentationsOf } from '../corpora/chexlocalizeRegions.ts';
import { checkJson } from '../corpora/json.ts';
import { outlinedRegion } from '../corpora/labelMe.ts';
import { boxesOfCoco, boxesOfRows, msCxrColumns, msCxrRow, type PhraseBox } from '../corpora/msCxr.ts';
import { RSNA_FRAME, rsnaBoxes, rsnaColumns, rsnaRow } from '../corpora/rsnaBoxes.ts';
import { type Cells, checkTable, withHeader } from '../csv.ts';
import { DataError } from '../errors.ts';
import type { Region } from '../region.ts';
import type { Annotation } from './annotation.ts';
import { imageId } from './fileNames.ts';
import { isOwnTable, readOwnTable } from './ownTable.ts';

/**
 * Reads annotations; undefined where a file is a table or JSON of another kind.
 *
 * @param name File name, for messages and (LabelMe) as the name of the image.
 * @throws DataError that names file, row or field, what was expected and what was found.
 */
export function readAnnotations(text: string, name: string): Annotation[] | undefined {
  return /\.json$/i.test(name) ? readJson(text, name) : readTable(text, name);
}

/** As `readAnnotations`. Throws DataError for a file of another kind too. */
export function requireAnnotations(text: string, name: string): Annotation[] {
  const found = readAnnotations(text, name);
  if (found) return found;
  throw new DataError(
    `${name}: expected phrases or places of findings: a CSV with "file" and "phrase", with "x", "y", "width" and "height", ` +
      'or with "mask"; or the CSV or JSON of RSNA, MS-CXR, NIH, COCO, LabelMe, ChestX-Det or CheXlocalize. Found something else.',
  );
}

function readTable(text: string, name: string): Annotation[] | undefined {
  const { cells, isNih } = parseCells(text, name);
  const has = (...columns: readonly string[]): boolean => columns.every((column) => cells.columns.includes(column));
  if (has(...rsnaColumns)) {
    const { rows } = checkTable(cells, rsnaRow, rsnaColumns);
    return [...rsnaBoxes(rows, name)].map(([image, boxes]) => ({
      image,
      region: { kind: 'boxes', boxes, width: RSNA_FRAME, height: RSNA_FRAME },
      where: `${name}, ${image}`,
    }));
  }
  if (has('label_text', 'path', 'w', 'h')) {
    return boxesOfRows(checkTable(cells, msCxrRow, msCxrColumns).rows).map(fromPhraseBox(name));
  }
  return isOwnTable(cells) ? readOwnTable(cells, isNih ? { width: 1024, height: 1024 } : undefined) : undefined;
}

/** The list of boxes of ChestX-ray8 has a header of its own, and its boxes are those of images of 1024x1024. */
const nihHeader = /^\ufeff?Image Index,Finding Label,Bbox \[x,y,w,h\],*/;

function parseCells(text: string, name: string): { cells: Cells; isNih: boolean } {
  const isNih = nihHeader.test(text);
  const plain = isNih ? text.replace(nihHeader, 'file,phrase,x,y,width,height') : text;
  try {
    const options = { bom: true, skip_empty_lines: true, relax_column_count_more: isNih };
    return { cells: withHeader(parse(plain, options), name), isNih };
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(
      `${name}: expected comma-separated rows of equal length (${error instanceof Error ? error.message : error}).`,
    );
  }
}

const fromPhraseBox =
  (name: string) =>
  ({ path, phrase, box, width, height }: PhraseBox, i: number): Annotation => ({
    image: path,
    phrase,
    region: { kind: 'boxes', boxes: [box], width, height },
    where: `${name}, box ${i + 1}`,
  });

/** ChestX-Det: outlines of findings on NIH images of 1024x1024. */
const chestXDet = z.array(
  z.object({
    file_name: z.string().min(1),
    syms: z.array(z.string().min(1)),
    polygons: z.array(z.array(z.tuple([z.number(), z.number()]))),
  }),
);

function readJson(text: string, name: string): Annotation[] | undefined {
  const json = parseJson(text, name);
  if (Array.isArray(json)) {
    if (!isObject(json[0]) || !('syms' in json[0])) return undefined;
    return checkJson(json, chestXDet, name).flatMap(({ file_name: image, syms, polygons }) =>
      syms.map((phrase, i): Annotation => {
        const region: Region = { kind: 'polygons', polygons: [polygons[i] ?? []], width: 1024, height: 1024 };
        return { image, phrase, region, where: `${name}, ${image}` };
      }),
    );
  }
  if (!isObject(json)) return undefined;
  if ('annotations' in json && 'images' in json) return boxesOfCoco(json, name).map(fromPhraseBox(name));
  if ('shapes' in json) {
    const region = outlinedRegion(json, name) ?? { kind: 'boxes' as const, boxes: [] };
    return [{ image: imageId(name.replace(/\.json$/i, '')), region, where: name }];
  }
  const [first] = Object.values(json);
  if (!isObject(first)) return undefined;
  const isOutlines = 'img_size' in first;
  if (!isOutlines && !Object.values(first).some((task) => isObject(task) && 'counts' in task)) return undefined;
  const phrasesOf = isOutlines ? outlinesOf(json, name) : segmentationsOf(json, name);
  return phrasesOf.flatMap(([image, phrases]) =>
    phrases.map(({ phrase, region }) => ({ image, phrase, region, where: `${name}, ${image}` })),
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new DataError(`${name}: expected JSON (${error instanceof Error ? error.message : error}).`);
  }
}
