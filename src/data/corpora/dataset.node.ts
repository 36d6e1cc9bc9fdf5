/** Data sets out of corpora and indexes. */
import { join } from 'node:path';
import { readImage, readMask } from '../../io/image.node.ts';
import { DataError } from '../errors.ts';
import { regionToMask, resizeMask } from '../region.ts';
import type { Dataset, DroppedStudy, GrayImage, GroundedPhrase, Study } from '../types.ts';
import type { CorpusLocation, CorpusRecord, ReadOptions, RecordPhrase } from './corpus.ts';
import { applyFilters, type FilterOptions, nothingKept } from './filters.ts';
import { readIndex } from './indexFile.node.ts';
import { corpusNamed } from './registry.node.ts';

/** Names a corpus by plain data. */
export interface CorpusSpec extends CorpusLocation, FilterOptions {
  /** One of `corpusNames`. */
  readonly name: string;
}

/** What an index and a corpus have in common: records, each with the text that is read of its report. */
type Item =
  | { readonly record: CorpusRecord; readonly report: string }
  | { readonly dropped: { readonly id: string; readonly reason: string } };

/** Reads the corpus as `groundray index` does. Throws DataError for a layout that does not fit or nothing to use. */
export async function corpusDataset(spec: CorpusSpec, options: ReadOptions = {}): Promise<Dataset> {
  const corpus = corpusNamed(spec.name);
  async function* items(): AsyncGenerator<Item> {
    for await (const item of corpus.read(spec, options)) {
      if ('dropped' in item) yield item;
      if (!('record' in item)) continue;
      const verdict = applyFilters(item.record, spec);
      if ('report' in verdict) yield { record: item.record, report: verdict.report };
      else yield { dropped: { id: item.record.id, reason: verdict.reason } };
    }
  }
  return collect(spec.name, corpus.imageRoot(spec), items());
}

/** Reads an index. Throws DataError that names the line when it is damaged. */
export async function indexDataset({ path }: { readonly path: string }): Promise<Dataset> {
  const { header, records } = await readIndex(path);
  return collect(header.corpus, header.images, records);
}

async function collect(name: string, imageRoot: string, items: AsyncIterable<Item>): Promise<Dataset> {
  const studies: Study[] = [];
  const dropped: DroppedStudy[] = [];
  const phrases: GroundedPhrase[] = [];
  const images = new Map<string, string>();
  const load = async (id: string): Promise<GrayImage> => {
    const file = images.get(id);
    if (file === undefined) throw new DataError(`${name}: there is no image "${id}".`);
    return readImage(join(imageRoot, file), join(imageRoot, file));
  };
  for await (const item of items) {
    if ('dropped' in item) {
      dropped.push({ studyId: item.dropped.id, reason: item.dropped.reason });
      continue;
    }
    const { id, patientId, split, image, phrases: own = [] } = item.record;
    if (images.has(id)) throw new DataError(`${name}: expected a new image id, found "${id}" again.`);
    images.set(id, image);
    if (item.report !== '') studies.push({ id, patientId, split, report: item.report });
    else if (own.length === 0) dropped.push({ studyId: id, reason: 'no region is marked (empty ground truth)' });
    for (const phrase of own) phrases.push(groundedPhrase(item.record, phrase, imageRoot, () => load(id)));
  }
  if (studies.length === 0 && phrases.length === 0) {
    const counts: Record<string, number> = {};
    for (const { reason } of dropped) counts[reason] = (counts[reason] ?? 0) + 1;
    throw nothingKept(name, counts);
  }
  return { name, studies, dropped, phrases, loadImage: load };
}

function groundedPhrase(
  { id, split }: CorpusRecord,
  { phrase, category, region, attributes = {} }: RecordPhrase,
  imageRoot: string,
  load: () => Promise<GrayImage>,
): GroundedPhrase {
  return {
    studyId: id,
    split,
    phrase,
    category,
    attributes,
    loadMask: async () => {
      const { width, height } = await load();
      if (region.kind !== 'file') return regionToMask(region, { width, height });
      return resizeMask(await readMask(join(imageRoot, region.file)), width, height);
    },
  };
}
