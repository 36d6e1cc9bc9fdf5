/** Lists of images that a study was evaluated on, as the published ones for RSNA and COVID Rural. */
import { basename } from 'node:path';
import { z } from 'zod';
import { readTable } from '../csv.node.ts';
import { DataError } from '../errors.ts';
import { splitNamed } from '../splits.ts';
import type { Split } from '../types.ts';

const schema = z.object({ ID: z.string().trim().min(1, 'the id of an image'), split: z.string().optional() });

/** The split of an image by its id, with or without extension; undefined where the list does not have it. */
export type SplitList = (id: string) => Split | undefined;

/** Reads a CSV with a column `ID` and optionally `split` (else all are test images). Throws DataError. */
export async function readSplitFile(path: string): Promise<SplitList> {
  const { rows } = await readTable(path, schema, ['ID']);
  const splits = new Map<string, Split>();
  for (const { number, values } of rows) {
    const split = values.split === undefined ? 'test' : splitNamed(values.split);
    if (!split) {
      throw new DataError(
        `${basename(path)} row ${number}, column "split": expected train, validation or test, found "${values.split}".`,
      );
    }
    splits.set(stem(values.ID), split);
  }
  return (id) => splits.get(stem(id));
}

function stem(id: string): string {
  return id.replace(/\.(?:jpe?g|png|dcm)$/i, '').replace(/^.*\//, '');
}
