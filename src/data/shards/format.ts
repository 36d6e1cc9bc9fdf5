/**
 * A prepared data set: a folder with
 * - `prepare.json`: what is being prepared, written first; a rerun goes on only where it is the same;
 * - `shard-00000.bin`, ...: the pixels of the images and the masks, one behind the other;
 * - `shard-00000.jsonl`, ...: a header line, then one line per image in the order of the source;
 * - `dropped.jsonl`: what was left out, and why;
 * - `shards.json`: sizes and checksums of all of these, written last; with it the folder is complete.
 *
 * Images are raw grey, row-major, 1 byte a pixel or 2 (little endian): compressed ones are half the size and take many
 * times as long to decode (docs/decisions/shards.md). Masks lie in the frame of their source, one bit a pixel (row-major, lowest
 * bit first), deflated, so that an evaluation compares with the very same region.
 */
import * as z from 'zod';
import { DataError } from '../errors.ts';

export const INDEX_FILE = 'shards.json';
export const PLAN_FILE = 'prepare.json';
export const DROPPED_FILE = 'dropped.jsonl';
export const VERSION = 1;

export const shardFile = (shard: number): string => `shard-${String(shard).padStart(5, '0')}.bin`;
export const linesFile = (shard: number): string => `shard-${String(shard).padStart(5, '0')}.jsonl`;

const count = z.number().int().nonnegative();
const side = z.number().int().min(1).max(65_535);
const sum = z.number().int().min(0).max(0xffff_ffff);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256');
const depth = z.union([z.literal(8), z.literal(16)]);
const split = z.enum(['train', 'validation', 'test']);

/** What decides the content of the folder. */
export const planSchema = z.strictObject({
  version: z.literal(VERSION),
  /** The data set that was prepared, as plain data. */
  source: z.record(z.string(), z.unknown()),
  name: z.string(),
  /** Longest side of the stored images; smaller ones are kept as they are. */
  size: side,
  /** Bits of a stored pixel. */
  depth,
  imagesPerShard: z.number().int().min(1),
  /** Images to pack: those of studies, and those that phrases alone need. */
  images: count,
  /** Of all ids, patients, splits, reports and phrases. */
  fingerprint: sha256,
});
export type Plan = z.infer<typeof planSchema>;

/** First line of a shard's `.jsonl`. */
export const headerSchema = z.strictObject({
  shard: count,
  /** Size and checksum of the `.bin`. */
  bytes: count,
  sha256,
  images: count,
  phrases: count,
  dropped: count,
});
export type ShardHeader = z.infer<typeof headerSchema>;

const maskSchema = z.strictObject({ offset: count, bytes: count, width: side, height: side, sum });
export type MaskPlace = z.infer<typeof maskSchema>;

const phraseSchema = z.strictObject({
  /** Place among all phrases of the source, whose order is kept. */
  n: count,
  phrase: z.string(),
  sentence: z.string().optional(),
  category: z.string(),
  attributes: z.record(z.string(), z.string()),
  mask: maskSchema,
});

/** One image. `sum` is the start of the SHA-256 of its bytes. */
export const imageSchema = z.strictObject({
  id: z.string().min(1),
  /** Absent where only phrases need the image, because its report is empty. */
  study: z.strictObject({ patientId: z.string(), split, report: z.string() }).optional(),
  offset: count,
  width: side,
  height: side,
  sum,
  phrases: z.array(phraseSchema).optional(),
});
export type ImageLine = z.infer<typeof imageSchema>;

export const droppedSchema = z.strictObject({
  dropped: z.string(),
  /** The phrase alone was left out, the image was not. */
  phrase: z.string().optional(),
  reason: z.string(),
});
export type DroppedLine = z.infer<typeof droppedSchema>;

const fileSchema = z.strictObject({ bytes: count, sha256 });

export const indexSchema = z.strictObject({
  version: z.literal(VERSION),
  plan: planSchema,
  /** Counts of what is stored. */
  studies: count,
  images: count,
  phrases: count,
  dropped: count,
  droppedFile: fileSchema,
  shards: z.array(z.strictObject({ header: headerSchema, lines: fileSchema })),
});
export type ShardIndex = z.infer<typeof indexSchema>;

/** Parses JSON that must have the shape of `schema`. Throws DataError that begins with `where`. */
export function parseJson<Schema extends z.ZodType>(text: string, schema: Schema, where: string): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`${where}: expected JSON, but it cannot be parsed (${reason.slice(0, 120)}). ${REMEDY}`);
  }
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : VERSION;
  if (typeof version === 'number' && version > VERSION) {
    throw new DataError(`${where}: is of version ${version}, this program reads version ${VERSION}. Use a newer one.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new DataError(`${where}: the field "${issue?.path.join('.')}" does not fit (${issue?.message}). ${REMEDY}`);
}

/** What a reader of a damaged folder can do. */
export const REMEDY =
  'List all damage with groundray prepare --verify <folder>; prepare the data again with --overwrite.';
