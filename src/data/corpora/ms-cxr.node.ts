/** MS-CXR (B. Boecking et al., PhysioNet): phrases of radiologists with boxes, on images of MIMIC-CXR. CSV or COCO JSON. */
import { basename } from 'node:path';
import { readTable } from '../csv.node.ts';
import { DataError } from '../errors.ts';
import type { Corpus, CorpusItem, CorpusLocation, ReadOptions } from './corpus.ts';
import { checkFolder, createImageFinder, findMatching, readJson } from './files.node.ts';
import { boxesOfCoco, boxesOfRows, msCxrColumns, msCxrRow, type PhraseBox, unitePhrases } from './msCxr.ts';
import { readSplitFile } from './splitFile.node.ts';

const PUBLISHED = { pairs: 1162, images: 1047 };

export const msCxr: Corpus = {
  name: 'ms-cxr',
  description: 'phrases of radiologists with boxes on MIMIC-CXR; physionet.org/content/ms-cxr, credentialed access',
  purpose: 'evaluation',
  imageRoot: ({ root, images }) => images ?? root,
  read: readMsCxr,
};

async function* readMsCxr(
  location: CorpusLocation,
  { onProgress, signal }: ReadOptions = {},
): AsyncGenerator<CorpusItem> {
  const { root, splitFile } = location;
  checkFolder(root, 'ms-cxr');
  const csv = findNewest(root, 'csv');
  const json = findNewest(root, 'json');
  if (!csv && !json) {
    throw new DataError(`${root}: expected MS_CXR_Local_Alignment_v1.0.0.csv or .json (or v1.1.0), found neither.`);
  }
  const source = csv ?? json ?? '';
  const listed = splitFile ? await readSplitFile(splitFile) : undefined;
  const byImage = new Map<string, PhraseBox[]>();
  for (const annotation of csv ? await readCsv(csv) : boxesOfCoco(readJson(source), basename(source))) {
    const own = byImage.get(annotation.dicom) ?? [];
    own.push(annotation);
    byImage.set(annotation.dicom, own);
  }
  const finder = createImageFinder(location.images ?? root, { prefixes: ['files/', ''] });
  let pairs = 0;
  let done = 0;
  for (const [id, annotations] of byImage) {
    signal?.throwIfAborted();
    onProgress?.('looking for images', ++done, byImage.size);
    const phrases = unitePhrases(annotations);
    pairs += phrases.length;
    const [first] = annotations;
    const split = listed ? listed(id) : (first?.split ?? 'test');
    const image = first && split && finder.find(first.path);
    if (!first || !split || !image) {
      yield { dropped: { id, reason: split ? 'there is no image' : 'the split file does not have it' } };
      continue;
    }
    const [, patientId = id, studyId = id] = /(?:^|\/)p(\d+)\/s(\d+)\/[^/]*$/.exec(first.path) ?? [];
    yield { record: { id, patientId, studyId, image, view: 'frontal', split, phrases } };
  }
  if (byImage.size > 0 && !finder.any()) {
    throw new DataError(
      `${location.images ?? root}: expected the images of MIMIC-CXR, such as "${[...byImage.values()][0]?.[0]?.path}", ` +
        'found none. Say where they are with --images (or images=... behind --data ms-cxr:...).',
    );
  }
  const isPublished = pairs === PUBLISHED.pairs && byImage.size === PUBLISHED.images;
  yield {
    note:
      `ms-cxr: ${basename(source)}, ${pairs.toLocaleString('en')} phrases on ${byImage.size.toLocaleString('en')} images; ` +
      `${isPublished ? 'as published' : '1,162 on 1,047 are published'}.`,
  };
}

/** v1.1.0 before v1.0.0. */
function findNewest(root: string, extension: string): string | undefined {
  const versions = ['[_-]v?1\\.1\\.0', '[_-]v?1\\.0\\.0', '.*'];
  for (const version of versions) {
    const found = findMatching(root, new RegExp(`^MS[_-]CXR_Local_Alignment${version}\\.${extension}$`, 'i'));
    if (found) return found;
  }
  return undefined;
}

async function readCsv(path: string): Promise<PhraseBox[]> {
  return boxesOfRows((await readTable(path, msCxrRow, msCxrColumns)).rows);
}
