/** The `.jsonl` of a shard: one header line, then one line per image. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { DataError } from '../errors.ts';
import { readWhole } from './files.node.ts';
import {
  type DroppedLine,
  droppedSchema,
  headerSchema,
  type ImageLine,
  INDEX_FILE,
  imageSchema,
  linesFile,
  parseJson,
  REMEDY,
  type ShardHeader,
  type ShardIndex,
  shardFile,
} from './format.ts';

export interface ShardLines {
  readonly header: ShardHeader;
  readonly images: readonly ImageLine[];
  readonly dropped: readonly DroppedLine[];
  /** Size and checksum of the `.jsonl` itself. */
  readonly file: { readonly bytes: number; readonly sha256: string };
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Text of the file. */
export function writeLines(header: ShardHeader, images: readonly ImageLine[], dropped: readonly DroppedLine[]): string {
  return [header, ...images, ...dropped].map((line) => `${JSON.stringify(line)}\n`).join('');
}

/**
 * Reads and checks the lines of a shard; every place that they name lies within the shard. Throws DataError with file
 * and line for whatever does not fit.
 */
export async function readLines(
  folder: string,
  shard: number,
  plan: { readonly depth: 8 | 16 },
  expected?: ShardIndex['shards'][number],
): Promise<ShardLines> {
  const path = join(folder, linesFile(shard));
  const bytes = await readWhole(path, path, expected?.lines.bytes);
  const sha256 = sha256Of(bytes);
  if (expected && sha256 !== expected.lines.sha256) {
    throw new DataError(`${path}: the checksum does not fit, so the file was changed. ${REMEDY}`);
  }
  const [first = '', ...rest] = bytes.toString('utf8').split('\n');
  const header = parseJson(first, headerSchema, `${path} line 1`);
  if (header.shard !== shard || rest.pop() !== '' || rest.length !== header.images + header.dropped) {
    throw new DataError(
      `${path}: expected shard ${shard} with ${header.images + header.dropped + 1} whole lines, found shard ` +
        `${header.shard} with ${rest.length + 1}. ${REMEDY}`,
    );
  }
  if (expected && JSON.stringify(expected.header) !== JSON.stringify(header)) {
    throw new DataError(`${path}: line 1 describes another shard than ${INDEX_FILE} does. ${REMEDY}`);
  }
  const images = rest.slice(0, header.images).map((text, i) => {
    const where = `${path} line ${i + 2}`;
    const line = parseJson(text, imageSchema, where);
    checkPlaces(line, header, plan.depth, where);
    return line;
  });
  const dropped = rest
    .slice(header.images)
    .map((text, i) => parseJson(text, droppedSchema, `${path} line ${header.images + i + 2}`));
  const phrases = images.reduce((sum, line) => sum + (line.phrases?.length ?? 0), 0);
  if (phrases !== header.phrases) {
    throw new DataError(`${path}: expected ${header.phrases} phrases, found ${phrases}. ${REMEDY}`);
  }
  return { header, images, dropped, file: { bytes: bytes.length, sha256 } };
}

/** Bytes of a stored image. */
export function imageBytes({ width, height }: Pick<ImageLine, 'width' | 'height'>, depth: 8 | 16): number {
  return width * height * (depth / 8);
}

function checkPlaces(line: ImageLine, header: ShardHeader, depth: 8 | 16, where: string): void {
  const places = [
    { offset: line.offset, bytes: imageBytes(line, depth) },
    ...(line.phrases ?? []).map(({ mask }) => mask),
  ];
  for (const { offset, bytes } of places) {
    if (offset + bytes <= header.bytes) continue;
    throw new DataError(
      `${where}: study "${line.id}" names bytes ${offset} to ${offset + bytes}, but ${shardFile(header.shard)} has ` +
        `${header.bytes}. ${REMEDY}`,
    );
  }
}
