/** The boxes of the RSNA Pneumonia Detection Challenge, as its table of labels has them. */
import * as z from 'zod';
import { pixelsCell, type TableRow } from '../csv.ts';
import { DataError } from '../errors.ts';
import type { Box } from '../types.ts';

/** What the boxes' side lengths refer to; published copies of other sizes keep the boxes of this one. */
export const RSNA_FRAME = 1024;

export const rsnaRow = z.object({
  patientId: z.string().trim().min(1, 'the id of an image'),
  x: pixelsCell,
  y: pixelsCell,
  width: pixelsCell,
  height: pixelsCell,
  Target: z
    .string()
    .trim()
    .regex(/^[01]$/, '0 or 1'),
});

export const rsnaColumns = ['patientId', 'x', 'y', 'width', 'height', 'Target'] as const;

/** Boxes by image; none where nothing was found. Throws DataError for a row without the box that its Target promises. */
export function rsnaBoxes(rows: readonly TableRow<z.infer<typeof rsnaRow>>[], name: string): Map<string, Box[]> {
  const boxesOf = new Map<string, Box[]>();
  for (const { number, values } of rows) {
    const boxes = boxesOf.get(values.patientId) ?? [];
    boxesOf.set(values.patientId, boxes);
    if (values.Target === '0') continue;
    const { x, y, width, height } = values;
    if (x === undefined || y === undefined || !(width && width > 0) || !(height && height > 0)) {
      throw new DataError(`${name} row ${number}: expected a box, as Target is 1, found none.`);
    }
    boxes.push({ x, y, width, height });
  }
  return boxesOf;
}
