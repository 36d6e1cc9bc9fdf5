/** Checked rows of tables, wherever their cells come from. Errors name the file, the row, the column, and what was expected and found. */
import * as z from 'zod';
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

/** Cells with a header, as a parser gave them. */
export interface Cells {
  /** File name for messages. */
  readonly name: string;
  readonly columns: readonly string[];
  readonly records: readonly (readonly string[])[];
}

/** Divides what a parser gave into header and records. Throws DataError for an empty file. */
export function withHeader(all: readonly (readonly string[])[], name: string): Cells {
  const [header, ...records] = all;
  if (header === undefined) throw new DataError(`${name}: expected a header and rows, found an empty file.`);
  return { name, columns: header.map((column) => column.trim()), records };
}

/** Throws DataError when a required column is missing, or a value does not fit the schema. */
export function checkTable<Schema extends z.ZodObject>(
  { name, columns, records }: Cells,
  schema: Schema,
  required: readonly (keyof z.infer<Schema> & string)[],
): Table<z.infer<Schema>> {
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

/** A cell with a number of pixels; undefined where it is empty. */
export const pixelsCell = z
  .string()
  .trim()
  .transform((value) => (value === '' ? undefined : Number(value)))
  .refine((value) => value === undefined || Number.isFinite(value), 'a number of pixels or nothing')
  .optional();

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
