/**
 * An index: JSON lines. The first says where it comes from, then a line per image, and the last how many there are, so
 * that a copy that was cut off is told from a whole one.
 */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { DataError } from '../errors.ts';
import { regionSchema } from '../region.ts';
import type { CorpusRecord } from './corpus.ts';
import { checkJson } from './json.ts';

const FORMAT = 'groundray-index';
const VERSION = 1;

const headerSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  corpus: z.string().min(1),
  /** Folder that the image paths are relative to. */
  images: z.string(),
});
export type IndexHeader = Pick<z.infer<typeof headerSchema>, 'corpus' | 'images'>;

/** A line: a record with the text that is read of its report in place of all its sections. */
const lineSchema = z.strictObject({
  id: z.string().min(1),
  patientId: z.string(),
  studyId: z.string(),
  image: z.string().min(1),
  view: z.enum(['frontal', 'lateral', 'unknown']),
  split: z.enum(['train', 'validation', 'test']),
  report: z.string(),
  labels: z.record(z.string(), z.number()).exactOptional(),
  phrases: z
    .array(
      z.strictObject({
        phrase: z.string().min(1),
        category: z.string(),
        region: regionSchema,
        attributes: z.record(z.string(), z.string()).exactOptional(),
      }),
    )
    .exactOptional(),
});
const endSchema = z.strictObject({ end: z.literal(true), images: z.number().int().nonnegative() });

export interface IndexedRecord {
  readonly record: CorpusRecord;
  readonly report: string;
}

const encoder = new TextEncoder();

/** Lines are gathered: a write for each of 377,110 would take most of the time. */
const CHUNK = 1 << 18;

/** The bytes of an index, made while the records come. */
export async function* encodeIndex(
  header: IndexHeader,
  records: AsyncIterable<IndexedRecord>,
): AsyncGenerator<Uint8Array> {
  let text = `${JSON.stringify({ format: FORMAT, version: VERSION, ...header })}\n`;
  let images = 0;
  for await (const { record, report } of records) {
    const { sections: _, ...rest } = record;
    text += `${JSON.stringify({ ...rest, report })}\n`;
    images++;
    if (text.length < CHUNK) continue;
    yield encoder.encode(text);
    text = '';
  }
  yield encoder.encode(`${text}${JSON.stringify({ end: true, images })}\n`);
}

/** Opens an index and streams its records. Throws DataError that names file and line. */
export async function readIndex(
  path: string,
): Promise<{ header: IndexHeader; records: AsyncGenerator<IndexedRecord> }> {
  if (!existsSync(path) || !statSync(path).isFile()) throw new DataError(`${path}: expected an index, found no file.`);
  const name = basename(path);
  const lines = linesOf(path);
  const first = await lines.next();
  if (first.done) throw new DataError(`${name}: expected an index of groundray, found an empty file.`);
  const header = checkJson(parseLine(first.value, name, 1), headerSchema, `${name} line 1`);
  return { header: { corpus: header.corpus, images: header.images }, records: recordsOf(lines, name) };
}

async function* recordsOf(lines: AsyncGenerator<string>, name: string): AsyncGenerator<IndexedRecord> {
  let number = 1;
  let ended = false;
  for await (const line of lines) {
    number++;
    if (ended) throw new DataError(`${name} line ${number}: expected nothing behind the last line.`);
    const value = parseLine(line, name, number);
    if (typeof value === 'object' && value !== null && 'end' in value) {
      const { images } = checkJson(value, endSchema, `${name} line ${number}`);
      if (images !== number - 2) throw new DataError(`${name}: expected ${images} images, found ${number - 2}.`);
      ended = true;
      continue;
    }
    const { report, ...record } = checkJson(value, lineSchema, `${name} line ${number}`);
    yield { record, report };
  }
  if (!ended) throw new DataError(`${name}: expected a last line with the number of images; the file was cut off.`);
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const input = createReadStream(path);
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  } finally {
    input.destroy();
  }
}

function parseLine(line: string, name: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new DataError(`${name} line ${number}: expected JSON, found "${line.slice(0, 40)}".`);
  }
}
