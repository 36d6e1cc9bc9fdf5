/** `groundray prepare`: packs a data set into shards. See `format.ts` for what is written. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { writeFileAtomic, writeJsonAtomic } from '../../io/atomic.node.ts';
import { DataError } from '../errors.ts';
import { type DatasetSpec, openDataset } from '../open.node.ts';
import type { Dataset } from '../types.ts';
import { readIndex } from './dataset.node.ts';
import {
  DROPPED_FILE,
  type DroppedLine,
  INDEX_FILE,
  linesFile,
  PLAN_FILE,
  type Plan,
  parseJson,
  planSchema,
  type ShardIndex,
  shardFile,
  VERSION,
} from './format.ts';
import { readLines, type ShardLines, sha256Of } from './lines.node.ts';
import type { PackJob } from './pack.node.ts';
import { startPackers } from './packers.node.ts';
import { writeShard } from './shard.node.ts';

export interface PrepareOptions {
  readonly source: DatasetSpec;
  /** Where to write; a new folder, an empty one, or one of a prepare that was stopped. */
  readonly folder: string;
  /** Longest side of the stored images in pixels. Default 256. */
  readonly size?: number;
  /** Bits of a stored pixel. Default 8. */
  readonly depth?: 8 | 16;
  /** Largest size of a shard in MiB, masks aside. Default 256. */
  readonly shardMegabytes?: number;
  /** Threads, default one per core; 0 packs on the calling thread. */
  readonly workers?: number;
  /** An image or a mask that cannot be used ends it, instead of being left out and listed. */
  readonly strict?: boolean;
  /** Removes what an earlier prepare wrote there. */
  readonly overwrite?: boolean;
  /** Whole shards stay when it aborts. */
  readonly signal?: AbortSignal;
  /** Called after each image, and once for the images of shards that were there already. */
  readonly onImage?: (progress: PrepareProgress) => void;
}

export interface PrepareProgress {
  readonly done: number;
  readonly total: number;
  /** Of `done`, those found in whole shards of an earlier run. */
  readonly kept: number;
}

/**
 * Packs the images, masks, reports and phrases of a data set. Throws DataError for a source or folder that cannot be
 * used, or when no image at all can be packed; throws the signal's reason when it aborts.
 */
export async function prepare(options: PrepareOptions): Promise<ShardIndex> {
  const { folder, strict = false, signal, onImage } = options;
  const source = absolute(options.source);
  if (options.overwrite) await removePrepared(folder);
  checkFolder(folder);
  const dataset = await openDataset(source);
  const jobs = jobsOf(dataset);
  const plan = planOf(source, dataset, jobs.length, options);
  await beginOrContinue(folder, plan);

  const { size, depth, imagesPerShard } = plan;
  const parts = Array.from({ length: Math.ceil(jobs.length / imagesPerShard) }, (_, shard) =>
    jobs.slice(shard * imagesPerShard, (shard + 1) * imagesPerShard),
  );
  const shards: (ShardLines | undefined)[] = [];
  for (const [shard, part] of parts.entries()) shards.push(await wholeShard(folder, shard, part, plan));
  const missing = parts.filter((_, shard) => shards[shard] === undefined).flat().length;
  let done = jobs.length - missing;
  const progress = (): void => onImage?.({ done, total: jobs.length, kept: jobs.length - missing });
  progress();
  for (const shard of shards) if (strict && shard?.dropped[0]) throw strictError(shard.dropped[0]);

  if (missing === 0 && existsSync(join(folder, INDEX_FILE))) return readIndex(folder);

  const workers = Math.min(options.workers ?? availableParallelism(), missing);
  const studies = new Map(dataset.studies.map((study) => [study.id, study]));
  const packers = await startPackers(dataset, { source, size, depth }, workers);
  try {
    for (const [shard, part] of parts.entries()) {
      shards[shard] ??= await writeShard({
        folder,
        shard,
        jobs: part,
        studies,
        phrases: dataset.phrases,
        packers,
        ...(signal ? { signal } : {}),
        onDropped: (line) => {
          if (strict) throw strictError(line);
        },
        onImage: () => {
          done += 1;
          progress();
        },
      });
    }
  } finally {
    await packers.close();
  }
  return finish(
    folder,
    plan,
    dataset,
    shards.filter((shard) => shard !== undefined),
  );
}

function strictError({ dropped, phrase, reason }: DroppedLine): DataError {
  const what = phrase === undefined ? `study "${dropped}"` : `the phrase "${phrase}" of study "${dropped}"`;
  return new DataError(
    `${what} cannot be packed: ${reason} Mend it and prepare again with --overwrite, or leave such items out (without --strict).`,
  );
}

function absolute(source: DatasetSpec): DatasetSpec {
  return 'path' in source ? { ...source, path: resolve(source.path) } : source;
}

/** Images of studies, then those that only phrases need. */
function jobsOf(dataset: Dataset): PackJob[] {
  const phrasesOf = new Map<string, number[]>(dataset.studies.map(({ id }) => [id, []]));
  for (const [n, { studyId }] of dataset.phrases.entries()) {
    const own = phrasesOf.get(studyId);
    if (own) own.push(n);
    else phrasesOf.set(studyId, [n]);
  }
  return [...phrasesOf].map(([id, phrases]) => ({ id, phrases }));
}

function planOf(source: DatasetSpec, dataset: Dataset, images: number, options: PrepareOptions): Plan {
  const { size = 256, depth = 8, shardMegabytes = 256 } = options;
  const hash = createHash('sha256');
  for (const { id, patientId, split, report } of dataset.studies)
    hash.update(JSON.stringify([id, patientId, split, report]));
  for (const { studyId, phrase, sentence, category, attributes } of dataset.phrases) {
    hash.update(JSON.stringify([studyId, phrase, sentence ?? null, category, attributes]));
  }
  return {
    version: VERSION,
    source: JSON.parse(JSON.stringify(source)) as Record<string, unknown>,
    name: dataset.name,
    size,
    depth,
    // By the largest image, so that which image lies where does not depend on what can be decoded.
    imagesPerShard: Math.max(1, Math.floor((shardMegabytes * 2 ** 20) / (size * size * (depth / 8)))),
    images,
    fingerprint: hash.digest('hex'),
  };
}

const isOurs = (file: string): boolean =>
  [INDEX_FILE, PLAN_FILE, DROPPED_FILE].includes(file) || /^shard-\d{5,}\.(bin|jsonl)$/.test(file) || isTemporary(file);
/** What a killed process left behind (`writeFileAtomic`). */
const isTemporary = (file: string): boolean =>
  /^(shard-\d{5,}\.(bin|jsonl)|shards\.json|prepare\.json|dropped\.jsonl)\.\d+$/.test(file);

async function removePrepared(folder: string): Promise<void> {
  if (!existsSync(join(folder, PLAN_FILE))) return;
  // The index first: without it, a removal that is stopped leaves no folder that looks whole.
  const files = readdirSync(folder).filter(isOurs);
  for (const file of [INDEX_FILE, ...files.filter((name) => name !== PLAN_FILE), PLAN_FILE]) {
    await rm(join(folder, file), { force: true });
  }
}

function checkFolder(folder: string): void {
  if (!existsSync(folder)) return;
  const other = readdirSync(folder).find((file) => !isOurs(file));
  if (other === undefined || existsSync(join(folder, PLAN_FILE))) return;
  throw new DataError(
    `${folder}: expected a new or empty folder for the shards, found "${other}" in it. Choose another --out.`,
  );
}

async function beginOrContinue(folder: string, plan: Plan): Promise<void> {
  const path = join(folder, PLAN_FILE);
  if (!existsSync(path)) return writeJsonAtomic(path, plan);
  const before = parseJson(await readFile(path, 'utf8'), planSchema, path);
  const changed = (Object.keys(plan) as (keyof Plan)[]).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(plan[key]),
  );
  if (changed.length > 0) {
    const describe = (key: keyof Plan): string =>
      key === 'fingerprint'
        ? 'the studies, reports or phrases of the source'
        : `${key} (was ${JSON.stringify(before[key])}, is ${JSON.stringify(plan[key])})`;
    throw new DataError(
      `${folder}: was begun with something else; changed: ${changed.map(describe).join(', ')}. Give what was given then, ` +
        'choose another --out, or begin anew with --overwrite.',
    );
  }
  for (const file of readdirSync(folder)) if (isTemporary(file)) await rm(join(folder, file), { force: true });
}

/** A shard of an earlier run, if its list was written (which is done last) and it still has its size. */
async function wholeShard(
  folder: string,
  shard: number,
  jobs: readonly PackJob[],
  plan: Plan,
): Promise<ShardLines | undefined> {
  if (!existsSync(join(folder, linesFile(shard)))) return undefined;
  try {
    const lines = await readLines(folder, shard, plan);
    const { size } = await stat(join(folder, shardFile(shard)));
    const failed = lines.dropped.filter(({ phrase }) => phrase === undefined).length;
    return size === lines.header.bytes && lines.images.length + failed === jobs.length ? lines : undefined;
  } catch {
    // Whatever is wrong with it, it is packed again.
    return undefined;
  }
}

async function finish(
  folder: string,
  plan: Plan,
  dataset: Dataset,
  shards: readonly ShardLines[],
): Promise<ShardIndex> {
  const sum = (count: (shard: ShardLines) => number): number =>
    shards.reduce((total, shard) => total + count(shard), 0);
  const images = sum((shard) => shard.images.length);
  const failed = shards.flatMap((shard) => shard.dropped);
  if (images === 0) {
    throw new DataError(
      `${dataset.name}: none of the ${plan.images} images can be packed. The first: ${failed[0]?.reason ?? 'there is none'}`,
    );
  }
  const known = (dataset.dropped ?? []).map(({ studyId, reason }): DroppedLine => ({ dropped: studyId, reason }));
  const dropped = [...known, ...failed];
  const text = Buffer.from(dropped.map((line) => `${JSON.stringify(line)}\n`).join(''));
  await writeFileAtomic(join(folder, DROPPED_FILE), text);
  const index: ShardIndex = {
    version: VERSION,
    plan,
    studies: sum((shard) => shard.images.filter(({ study }) => study).length),
    images,
    phrases: sum((shard) => shard.header.phrases),
    dropped: dropped.length,
    droppedFile: { bytes: text.length, sha256: sha256Of(text) },
    shards: shards.map(({ header, file }) => ({ header, lines: file })),
  };
  await writeJsonAtomic(join(folder, INDEX_FILE), index);
  return index;
}
