/**
 * COVID-19-AR (TCIA, 105 patients of a rural population) with the opacity outlines of `covid_rural_annot` by H. Tang et
 * al.: LabelMe files, or masks of 0 and 1.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../errors.ts';
import type { Region } from '../region.ts';
import type { Split } from '../types.ts';
import type { Corpus, CorpusItem, CorpusLocation, ReadOptions } from './corpus.ts';
import { checkFolder, findFirst, readJson } from './files.node.ts';
import { outlinedRegion } from './labelMe.ts';
import { readSplitFile } from './splitFile.node.ts';

export const COVID_QUERY = 'Findings suggesting COVID-19.';

const PUBLISHED = 221;

export const covidRural: Corpus = {
  name: 'covid-rural',
  description:
    'radiographs of COVID-19 with outlined opacities; TCIA COVID-19-AR (CC BY 4.0) and its covid_rural_annot',
  purpose: 'evaluation',
  imageRoot: ({ root, images }) => images ?? annotations(root),
  read: readCovidRural,
};

function annotations(root: string): string {
  return findFirst(root, ['covid_rural_annot', 'jpgs']) === join(root, 'covid_rural_annot')
    ? join(root, 'covid_rural_annot')
    : root;
}

async function* readCovidRural(
  location: CorpusLocation,
  { onProgress, signal }: ReadOptions = {},
): AsyncGenerator<CorpusItem> {
  checkFolder(location.root, 'covid-rural');
  const folder = annotations(location.root);
  const imageFolder = location.images ?? folder;
  const below = existsSync(join(imageFolder, 'jpgs')) ? 'jpgs/' : '';
  checkFolder(join(imageFolder, below), 'the images of covid-rural (jpgs)');
  const files = readdirSync(join(imageFolder, below))
    .filter((file) => /\.(jpe?g|png)$/i.test(file))
    .sort();
  if (files.length === 0)
    throw new DataError(`${imageFolder}: expected radiographs in covid_rural_annot/jpgs, found none.`);
  const splitOf = location.splitFile ? await readSplitFile(location.splitFile) : (): Split => 'test';
  for (const [i, file] of files.entries()) {
    signal?.throwIfAborted();
    onProgress?.('reading outlines', i + 1, files.length);
    const id = file.replace(/\.[^.]*$/, '');
    const split = splitOf(id);
    const outline = split && findRegion(folder, id, imageFolder);
    if (!split || outline === undefined) {
      yield {
        dropped: { id, reason: split ? 'there is neither an outline nor a mask' : 'the split file does not have it' },
      };
      continue;
    }
    const phrases = outline ? [{ phrase: COVID_QUERY, category: 'covid-19', region: outline }] : undefined;
    const patientId = /^(COVID-19-AR-\d+)/.exec(id)?.[1] ?? id;
    const record = { id, patientId, studyId: id, image: `${below}${file}`, view: 'frontal', split } as const;
    yield { record: { ...record, labels: { 'covid-19': 1 }, ...(phrases ? { phrases } : {}) } };
  }
  yield {
    note: `covid-rural: ${files.length} images; ${files.length === PUBLISHED ? 'as published' : `${PUBLISHED} are published`}.`,
  };
}

/** The opacity of an image; null where nothing is outlined, undefined where it was not annotated. */
function findRegion(folder: string, id: string, imageFolder: string): Region | null | undefined {
  const json = findFirst(folder, [`jpgs/jsons/${id}.json`, `jsons/${id}.json`, `jpgs/${id}.json`]);
  if (json) {
    return outlinedRegion(readJson(json), json) ?? null;
  }
  const file = `pngs_masks/${id}.png`;
  return existsSync(join(imageFolder, file)) ? { kind: 'file', file } : undefined;
}
