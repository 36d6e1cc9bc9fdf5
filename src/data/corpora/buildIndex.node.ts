/** Making an index: a corpus is read and filtered, and what is left out is counted and listed. */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { stringify } from 'csv-stringify';
import { writeFileAtomic } from '../../io/atomic.node.ts';
import { DataError } from '../errors.ts';
import type { Split } from '../types.ts';
import type { CorpusLocation, ReadOptions, View } from './corpus.ts';
import { applyFilters, type FilterOptions, nothingKept } from './filters.ts';
import { encodeIndex, type IndexedRecord } from './indexFile.node.ts';
import { corpusNamed } from './registry.node.ts';

/** What was found; nothing in it grows with the corpus. */
export interface IndexSummary {
  readonly found: number;
  readonly kept: number;
  readonly splits: Record<Split, number>;
  readonly views: Record<View, number>;
  readonly phrases: number;
  readonly categories: Record<string, number>;
  /** Kept images in which nothing is marked. */
  readonly withoutRegion: number;
  /** Number of images by the reason why they were left out. */
  readonly dropped: Record<string, number>;
  readonly notes: string[];
}

/** Where the list of what was left out is written. */
export function droppedFile(out: string): string {
  return `${out.replace(/\.jsonl$/i, '')}.dropped.csv`;
}

/**
 * Writes the index to `out` and the list beside it; both replace older ones only when all is done. Memory does not grow
 * with the corpus. Throws DataError for a layout that does not fit, damaged tables, and when nothing is left; the
 * signal's reason when it stops.
 */
export async function buildIndex(
  name: string,
  location: CorpusLocation,
  out: string,
  filters: FilterOptions = {},
  options: ReadOptions = {},
): Promise<IndexSummary> {
  const corpus = corpusNamed(name);
  const summary = {
    found: 0,
    kept: 0,
    splits: { train: 0, validation: 0, test: 0 },
    views: { frontal: 0, lateral: 0, unknown: 0 },
    phrases: 0,
    // Names come from files, so there must be no inherited ones.
    categories: Object.create(null) as Record<string, number>,
    withoutRegion: 0,
    dropped: {} as Record<string, number>,
    notes: [] as string[],
  };
  await mkdir(dirname(resolve(out)), { recursive: true });
  const list = droppedFile(out);
  const unfinished = `${list}.${process.pid}.tmp`;
  const table = stringify({ header: true, columns: ['id', 'reason'] });
  const file = createWriteStream(unfinished);
  const written = new Promise<void>((done, failed) => file.on('finish', done).on('error', failed));
  written.catch(() => undefined);
  table.pipe(file);
  const drop = async (id: string, reason: string): Promise<void> => {
    summary.dropped[reason] = (summary.dropped[reason] ?? 0) + 1;
    if (!table.write([id, reason])) await new Promise((ready) => table.once('drain', ready));
  };
  async function* records(): AsyncGenerator<IndexedRecord> {
    for await (const item of corpus.read(location, options)) {
      if ('note' in item) {
        summary.notes.push(item.note);
        continue;
      }
      summary.found++;
      if ('dropped' in item) {
        await drop(item.dropped.id, item.dropped.reason);
        continue;
      }
      const { record } = item;
      summary.views[record.view]++;
      const verdict = applyFilters(record, filters);
      if ('reason' in verdict) {
        await drop(record.id, verdict.reason);
        continue;
      }
      summary.kept++;
      summary.splits[record.split]++;
      const { phrases = [] } = record;
      summary.phrases += phrases.length;
      for (const { category } of phrases) summary.categories[category] = (summary.categories[category] ?? 0) + 1;
      if (phrases.length === 0) summary.withoutRegion++;
      yield { record, report: verdict.report };
    }
    if (summary.kept === 0) throw nothingKept(name, summary.dropped, summary.notes);
  }
  try {
    await writeFileAtomic(out, encodeIndex({ corpus: name, images: resolve(corpus.imageRoot(location)) }, records()));
    table.end();
    await written;
    await rename(unfinished, list);
  } catch (error) {
    // The writer of files wraps what the corpus throws.
    const cause = error instanceof Error ? error.cause : undefined;
    throw cause instanceof DataError || options.signal?.aborted ? cause : error;
  } finally {
    table.destroy();
    file.destroy();
    await rm(unfinished, { force: true });
  }
  return summary;
}
