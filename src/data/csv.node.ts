/** CSV tables whose errors name the file, the row, the column, and what was expected and found. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import type { z } from 'zod';
import { DataError } from './errors.ts';

export interface Table<Row> {
  /** File name for messages. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly TableRow<Row>[];
}

export interface TableRow<Row> {
  /** As a spreadsheet counts: the header is row 1. */
  readonly number: number;
  readonly values: Row;
  /** Every column as text. */
  readonly raw: Readonly<Record<string, string>>;
}

/**
 * Reads a table with a header, plain or gzip, and checks every row. Throws DataError when the file cannot be read or parsed, a required
 * column is missing, or a value does not fit the schema.
 */
export async function readTable<Schema extends z.ZodObject>(
  path: string,
  schema: Schema,
  required: readonly (keyof z.infer<Schema> & string)[],
): Promise<Table<z.infer<Schema>>> {
  const name = basename(path);
  const { columns, records } = parseRecords(await readText(path), name);
  checkColumns(columns, required, name);
  const rows = records.map((cells, i) => checkRow(cells, columns, i + 2, schema, name));
  return { name, columns, rows };
}

/** Throws DataError when a required column is missing from the header. */
export function checkColumns(columns: readonly string[], required: readonly string[], name: string): void {
  for (const column of required) {
    if (!columns.includes(column)) {
      throw new DataError(
        `${name}: expected a column "${column}", found ${columns.map((c) => `"${c}"`).join(', ') || 'none'}.`,
      );
    }
  }
}

/** Cells as a row of the table. Throws DataError that names row and column of a value that does not fit the schema. */
export function checkRow<Schema extends z.ZodObject>(
  cells: readonly string[],
  columns: readonly string[],
  number: number,
  schema: Schema,
  name: string,
): TableRow<z.infer<Schema>> {
  const raw = Object.fromEntries(columns.map((column, c) => [column, cells[c] ?? '']));
  const result = schema.safeParse(raw);
  if (result.success) return { number, values: result.data, raw };
  const issue = result.error.issues[0];
  const column = String(issue?.path[0] ?? '?');
  throw new DataError(
    `${name} row ${number}, column "${column}": expected ${issue?.message}, found "${raw[column] ?? ''}".`,
  );
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

function parseRecords(text: string, name: string): { columns: string[]; records: string[][] } {
  let all: string[][];
  try {
    all = parse(text, { bom: true, skip_empty_lines: true, trim: false });
  } catch (error) {
    throw new DataError(
      `${name}: expected comma-separated rows of equal length (${error instanceof Error ? error.message : error}).`,
    );
  }
  const [header, ...records] = all;
  if (header === undefined) throw new DataError(`${name}: expected a header and rows, found an empty file.`);
  return { columns: header.map((column) => column.trim()), records };
}
