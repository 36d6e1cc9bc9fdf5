/** `groundray prepare --verify`: reads everything that a prepared folder holds. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../errors.ts';
import { readDropped, readIndex, readMask, readRecord } from './dataset.node.ts';
import { type ImageLine, type ShardHeader, type ShardIndex, shardFile } from './format.ts';
import { imageBytes, readLines } from './lines.node.ts';

export interface Verification {
  readonly index?: ShardIndex;
  /** A sentence for each thing that is wrong; empty for a sound folder. */
  readonly problems: readonly string[];
}

/**
 * Checks every checksum, reads every image and mask, and compares the counts. Goes on after damage, so that all of it is
 * listed.
 */
export async function verifyShards(
  folder: string,
  options: { readonly signal?: AbortSignal; readonly onImage?: (done: number, total: number) => void } = {},
): Promise<Verification> {
  const problems: string[] = [];
  const attempt = async <T>(check: () => Promise<T>): Promise<T | undefined> => {
    options.signal?.throwIfAborted();
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const index = await attempt(() => readIndex(folder));
  if (!index) return { problems };
  await attempt(() => readDropped(folder, index));
  const ids = new Set<string>();
  let done = 0;
  let studies = 0;
  for (const [shard, entry] of index.shards.entries()) {
    const { header } = entry;
    await attempt(() => checkWhole(folder, shard, header));
    const lines = await attempt(() => readLines(folder, shard, index.plan, entry));
    for (const line of lines?.images ?? []) {
      if (ids.has(line.id)) problems.push(`${folder}: study "${line.id}" is stored twice.`);
      ids.add(line.id);
      if (line.study) studies += 1;
      await attempt(() => checkImage(folder, header, line, index.plan.depth));
      for (const { mask, phrase } of line.phrases ?? []) {
        await attempt(() => readMask(folder, header, mask, line.id, phrase));
      }
      options.onImage?.(++done, index.images);
    }
  }
  if (problems.length === 0 && studies !== index.studies) {
    problems.push(`${folder}: expected ${index.studies} studies, found ${studies}.`);
  }
  return { index, problems };
}

async function checkWhole(folder: string, shard: number, header: ShardHeader): Promise<void> {
  const path = join(folder, shardFile(shard));
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const part of createReadStream(path, { highWaterMark: 2 ** 20 })) {
      hash.update(part as Buffer);
      bytes += (part as Buffer).length;
    }
  } catch (error) {
    throw new DataError(`${path}: cannot be read (${error instanceof Error ? error.message : error}).`);
  }
  if (bytes !== header.bytes) throw new DataError(`${path}: expected ${header.bytes} bytes, found ${bytes}.`);
  if (hash.digest('hex') !== header.sha256) throw new DataError(`${path}: the checksum of the file does not fit.`);
}

async function checkImage(folder: string, header: ShardHeader, line: ImageLine, depth: 8 | 16): Promise<void> {
  // Every value of raw bytes is a pixel: of the right number and with the right checksum, they can be decoded.
  await readRecord(folder, header, { ...line, bytes: imageBytes(line, depth) }, `study "${line.id}"`);
}
