/** A table of one's own: `file` (or `image_id`), and `phrase`, a box or a mask file. `phrases.csv` of a data folder is one. */
import * as z from 'zod';
import { type Cells, checkTable, pixelsCell } from '../csv.ts';
import { DataError } from '../errors.ts';
import type { Region } from '../region.ts';
import type { Annotation } from './annotation.ts';
import { imageId } from './fileNames.ts';

const name = z.string().trim().min(1, 'the name of an image').optional();

const row = z.object({
  file: name,
  image_id: name,
  phrase: z.string().trim().optional(),
  x: pixelsCell,
  y: pixelsCell,
  width: pixelsCell,
  height: pixelsCell,
  mask: z.string().trim().optional(),
  mask_file: z.string().trim().optional(),
  mask_classes: z.string().optional(),
});
type Row = z.infer<typeof row>;

interface Frame {
  readonly width: number;
  readonly height: number;
}

/** Whether a table names images and says anything of them that counts here. */
export function isOwnTable({ columns }: Cells): boolean {
  const has = (column: string): boolean => columns.includes(column);
  const says = has('phrase') || has('mask') || has('mask_file') || ['x', 'y', 'width', 'height'].every(has);
  return (has('file') || has('image_id')) && says;
}

/**
 * The annotations of a table. A row's mask counts before its box, and that before `mask_classes` ("a+b"), the masks
 * `masks/<image>__<class>.png`.
 *
 * @param frame Size of the images that the boxes were drawn in. Default: that of the image.
 * @throws DataError that names row and column of what does not fit.
 */
export function readOwnTable(cells: Cells, frame?: Frame): Annotation[] {
  const column = cells.columns.includes('file') ? 'file' : 'image_id';
  return checkTable(cells, row, [column]).rows.flatMap(({ number, values }) => {
    const where = `${cells.name} row ${number}`;
    const { phrase } = values;
    const image = values[column] ?? '';
    const regions = regionsOf(values, image, where, frame);
    if (regions.length === 0 && !phrase) {
      throw new DataError(`${where}: expected a "phrase", a box or a "mask", found none.`);
    }
    const named = { image, ...(phrase ? { phrase } : {}), where };
    return regions.length === 0 ? [named] : regions.map((region) => ({ ...named, region }));
  });
}

function regionsOf(values: Row, image: string, where: string, frame: Frame | undefined): Region[] {
  const file = values.mask || values.mask_file;
  if (file) return [{ kind: 'file', file }];
  const { x, y, width, height } = values;
  if ([x, y, width, height].every((value) => value === undefined)) {
    const classes = values.mask_classes?.split('+').filter((name) => name.trim() !== '') ?? [];
    return classes.map((name) => ({ kind: 'file', file: `masks/${imageId(image)}__${name.trim()}.png` }));
  }
  if (x === undefined || y === undefined || width === undefined || height === undefined) {
    throw new DataError(`${where}: expected a box as "x", "y", "width" and "height", found only a part of it.`);
  }
  if (width <= 0 || height <= 0) {
    throw new DataError(`${where}: expected a box with positive width and height, found ${width} x ${height}.`);
  }
  return [{ kind: 'boxes', boxes: [{ x, y, width, height }], ...frame }];
}
