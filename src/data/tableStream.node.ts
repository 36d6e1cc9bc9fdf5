/** CSV tables read row by row, plain or gzip, for tables too long to be held in memory. */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import type { z } from 'zod';
import { checkColumns, checkRow, type TableRow } from './csv.ts';
import { DataError } from './errors.ts';

/** Longest row in bytes; a lost closing quote must not pull the rest of a table into memory. */
const MAX_ROW = 1 << 20;

export interface TableStreamOptions {
  /** Bytes of the file read so far, and its size. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * The rows of a table with a header, checked one by one. gzip is told by content, not by name; byte order mark and CRLF
 * are accepted. Throws DataError as `readTable` does, and for damaged gzip data.
 */
export async function* streamTable<Schema extends z.ZodObject>(
  path: string,
  schema: Schema,
  required: readonly (keyof z.infer<Schema> & string)[],
  { onProgress }: TableStreamOptions = {},
): AsyncGenerator<TableRow<z.infer<Schema>>> {
  const name = basename(path);
  if (!existsSync(path) || !statSync(path).isFile()) throw new DataError(`${path}: expected this file, found none.`);
  const total = statSync(path).size;
  const parser = parse({ bom: true, skip_empty_lines: true, max_record_size: MAX_ROW });
  const isCompressed = await isGzip(path);
  const file = createReadStream(path);
  let read = 0;
  if (onProgress) {
    file.on('data', (chunk) => {
      read += chunk.length;
      onProgress(read, total);
    });
  }
  const unpacked = isCompressed ? file.pipe(createGunzip()) : file;
  // An error must reach the loop below, wherever in the pipe it happens.
  for (const stream of new Set([file, unpacked])) stream.on('error', (error: Error) => parser.destroy(error));
  unpacked.pipe(parser);
  let columns: string[] | undefined;
  let number = 1;
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      if (!columns) {
        columns = cells.map((column) => column.trim());
        checkColumns(columns, required, name);
        continue;
      }
      yield checkRow(cells, columns, ++number, schema, name);
    }
  } catch (error) {
    if (error instanceof DataError || !isReadError(error)) throw error;
    throw new DataError(`${name}: expected comma-separated rows of equal length, plain or gzip (${error.message}).`);
  } finally {
    file.destroy();
    parser.destroy();
  }
  if (!columns) throw new DataError(`${name}: expected a header and rows, found an empty file.`);
}

/** Errors of the file system, zlib and csv-parse have a code; others are mistakes of the caller's loop. */
function isReadError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error;
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}
