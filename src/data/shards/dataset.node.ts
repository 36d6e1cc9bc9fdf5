/** A folder that `groundray prepare` wrote, as a `Dataset`. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.ts';
import type { Dataset, DroppedStudy, GrayImage, GroundedPhrase, Mask, Study } from '../types.ts';
import { readPart, readWhole } from './files.node.ts';
import {
  DROPPED_FILE,
  droppedSchema,
  type ImageLine,
  INDEX_FILE,
  indexSchema,
  type MaskPlace,
  PLAN_FILE,
  parseJson,
  REMEDY,
  type ShardHeader,
  type ShardIndex,
  shardFile,
} from './format.ts';
import { imageBytes, readLines, sha256Of } from './lines.node.ts';
import { checksum, unpackImage, unpackMask } from './pixels.node.ts';

export interface ShardsOptions {
  readonly path: string;
}

interface Stored {
  readonly header: ShardHeader;
  readonly line: Pick<ImageLine, 'id' | 'offset' | 'width' | 'height' | 'sum'>;
}

/** Reads `shards.json`. Throws DataError where there is none, preparing was not finished, or it is damaged. */
export async function readIndex(folder: string): Promise<ShardIndex> {
  const path = join(folder, INDEX_FILE);
  if (!existsSync(path)) {
    throw new DataError(
      existsSync(join(folder, PLAN_FILE))
        ? `${folder}: preparing it was not finished. Run the same groundray prepare again, it goes on where it stopped.`
        : `${folder}: expected a folder that groundray prepare wrote, found no ${INDEX_FILE} in it.`,
    );
  }
  const index = parseJson((await readWhole(path, path)).toString('utf8'), indexSchema, path);
  const total = (field: 'images' | 'phrases'): number =>
    index.shards.reduce((sum, { header }) => sum + header[field], 0);
  if (total('images') !== index.images || total('phrases') !== index.phrases) {
    throw new DataError(
      `${path}: expected ${index.images} images and ${index.phrases} phrases over the shards, found ${total('images')} and ` +
        `${total('phrases')}. ${REMEDY}`,
    );
  }
  return index;
}

/** What was left out when the folder was prepared. Throws DataError where the list is damaged. */
export async function readDropped(folder: string, { droppedFile, dropped }: ShardIndex): Promise<DroppedStudy[]> {
  const path = join(folder, DROPPED_FILE);
  const bytes = await readWhole(path, path, droppedFile.bytes);
  if (sha256Of(bytes) !== droppedFile.sha256) throw new DataError(`${path}: the checksum does not fit. ${REMEDY}`);
  const lines = bytes.toString('utf8').split('\n').slice(0, -1);
  if (lines.length !== dropped)
    throw new DataError(`${path}: expected ${dropped} lines, found ${lines.length}. ${REMEDY}`);
  return lines.flatMap((text, i) => {
    const line = parseJson(text, droppedSchema, `${path} line ${i + 1}`);
    return line.phrase === undefined ? [{ studyId: line.dropped, reason: line.reason }] : [];
  });
}

/**
 * Opens the folder: reads and checks the lists, not the pixels. Images and masks are read by position when asked for, and
 * checked against their checksum. Throws DataError with file and line for whatever does not fit.
 */
export async function shardsDataset({ path: folder }: ShardsOptions): Promise<Dataset> {
  const index = await readIndex(folder);
  const { depth } = index.plan;
  const studies: Study[] = [];
  const stored = new Map<string, Stored>();
  const phrases: { readonly n: number; readonly phrase: GroundedPhrase }[] = [];
  for (const [shard, entry] of index.shards.entries()) {
    const { images, header } = await readLines(folder, shard, index.plan, entry);
    await checkSize(join(folder, shardFile(shard)), header);
    for (const { id, study, offset, width, height, sum, phrases: own = [] } of images) {
      if (stored.has(id)) throw new DataError(`${folder}: study "${id}" is stored twice. ${REMEDY}`);
      stored.set(id, { header, line: { id, offset, width, height, sum } });
      if (study) studies.push({ id, ...study });
      for (const { n, phrase, sentence, category, attributes, mask } of own) {
        const loadMask = (): Promise<Mask> => readMask(folder, header, mask, id, phrase);
        const said = sentence === undefined ? {} : { sentence };
        phrases.push({ n, phrase: { studyId: id, phrase, ...said, category, attributes, loadMask } });
      }
    }
  }
  if (studies.length !== index.studies) {
    throw new DataError(
      `${join(folder, INDEX_FILE)}: expected ${index.studies} studies, found ${studies.length}. ${REMEDY}`,
    );
  }
  const loadImage = async (studyId: string): Promise<GrayImage> => {
    const found = stored.get(studyId);
    if (!found) throw new DataError(`${folder}: there is no study "${studyId}" in the shards.`);
    const { header, line } = found;
    const bytes = await readRecord(folder, header, { ...line, bytes: imageBytes(line, depth) }, `study "${studyId}"`);
    return unpackImage({ ...line, bytes }, depth);
  };
  return {
    name: index.plan.name,
    studies,
    dropped: await readDropped(folder, index),
    phrases: phrases.sort((a, b) => a.n - b.n).map(({ phrase }) => phrase),
    loadImage,
  };
}

async function checkSize(path: string, header: ShardHeader): Promise<void> {
  const { size } = await stat(path).catch(() => ({ size: -1 }));
  if (size === header.bytes) return;
  throw new DataError(
    `${path}: expected ${header.bytes} bytes, found ${size < 0 ? 'no file' : size}; it was cut off, changed or removed. ${REMEDY}`,
  );
}

/** Bytes of a record whose checksum fits. Throws DataError that names file and study. */
export async function readRecord(
  folder: string,
  header: ShardHeader,
  place: { readonly offset: number; readonly bytes: number; readonly sum: number },
  what: string,
): Promise<Uint8Array> {
  const path = join(folder, shardFile(header.shard));
  const where = `${path}, ${what}`;
  const bytes = await readPart({ path, version: header.sha256 }, place, where);
  if (checksum(bytes) !== place.sum) {
    throw new DataError(`${where}: the checksum does not fit, so the file was damaged. ${REMEDY}`);
  }
  return bytes;
}

export async function readMask(
  folder: string,
  header: ShardHeader,
  mask: MaskPlace,
  studyId: string,
  phrase: string,
): Promise<Mask> {
  const what = `mask of "${phrase}" in study "${studyId}"`;
  const bytes = await readRecord(folder, header, mask, what);
  return unpackMask({ ...mask, bytes }, `${join(folder, shardFile(header.shard))}, ${what}`);
}
