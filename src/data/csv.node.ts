/** CSV files. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import type { z } from 'zod';
import { type Cells, checkTable, type Table, withHeader } from './csv.ts';
import { DataError } from './errors.ts';

/**
 * Reads a table with a header, plain or gzip, and checks every row. Throws DataError when the file cannot be read or parsed, a required
 * column is missing, or a value does not fit the schema.
 */
export async function readTable<Schema extends z.ZodObject>(
  path: string,
  schema: Schema,
  required: readonly (keyof z.infer<Schema> & string)[],
): Promise<Table<z.infer<Schema>>> {
  return checkTable(parseCells(await readText(path), basename(path)), schema, required);
}

/** Longest table that is unpacked in one piece; longer ones are for `streamTable`. */
const MAX_UNPACKED = 2 ** 28;

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return (isGzip ? gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED }) : bytes).toString('utf8');
  } catch (error) {
    const missing = (error as { code?: string }).code === 'ENOENT';
    throw new DataError(
      missing
        ? `${path}: expected this file, found none.`
        : `${path} cannot be read (${error instanceof Error ? error.message : error}).`,
    );
  }
}

function parseCells(text: string, name: string): Cells {
  let all: string[][];
  try {
    all = parse(text, { bom: true, skip_empty_lines: true, trim: false });
  } catch (error) {
    throw new DataError(
      `${name}: expected comma-separated rows of equal length (${error instanceof Error ? error.message : error}).`,
    );
  }
  return withHeader(all, name);
}
