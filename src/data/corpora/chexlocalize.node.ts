/** CheXlocalize (A. Saporta et al.): segmentations by radiologists on the validation and test images of CheXpert. */
import { basename } from 'node:path';
import { DataError } from '../errors.ts';
import type { Split } from '../types.ts';
import { outlinesOf, segmentationsOf } from './chexlocalizeRegions.ts';
import type { Corpus, CorpusItem, CorpusLocation, ReadOptions } from './corpus.ts';
import { checkFolder, createImageFinder, findFirst, readJson } from './files.node.ts';
import { readSplitFile } from './splitFile.node.ts';

export const chexlocalize: Corpus = {
  name: 'chexlocalize',
  description: 'segmented findings on CheXpert radiographs; Stanford AIMI, free registration',
  purpose: 'evaluation',
  imageRoot: ({ root, images }) => images ?? root,
  read: readChexlocalize,
};

async function* readChexlocalize(
  location: CorpusLocation,
  { onProgress, signal }: ReadOptions = {},
): AsyncGenerator<CorpusItem> {
  const { root, splitFile } = location;
  checkFolder(root, 'chexlocalize');
  const listed = splitFile ? await readSplitFile(splitFile) : undefined;
  let files = 0;
  let images = 0;
  for (const [split, short] of [
    ['validation', 'val'],
    ['test', 'test'],
  ] as const) {
    const path = findFirst(root, [
      `gt_segmentations_${short}.json`,
      `CheXlocalize/gt_segmentations_${short}.json`,
      `gt_annotations_${short}.json`,
      `CheXlocalize/gt_annotations_${short}.json`,
    ]);
    if (!path) continue;
    files++;
    const folders = short === 'val' ? ['val', 'valid'] : ['test'];
    const prefixes = folders.flatMap((folder) =>
      ['CheXpert/', 'CheXpert-v1.0/', 'CheXpert-v1.0-small/', ''].map((p) => `${p}${folder}/`),
    );
    const finder = createImageFinder(location.images ?? root, { prefixes: [...prefixes, ''] });
    const entries = basename(path).startsWith('gt_segmentations')
      ? segmentationsOf(readJson(path), basename(path))
      : outlinesOf(readJson(path), basename(path));
    for (const [id, phrases] of entries) {
      signal?.throwIfAborted();
      onProgress?.(`looking for images, ${split}`, ++images, entries.length);
      const own: Split | undefined = listed ? listed(id) : split;
      // patient64541_study1_view1_frontal lies in patient64541/study1/view1_frontal.jpg
      const [, patientId = id, study = '', file = id] = /^([^_/]+)_([^_/]+)_([^/]+)$/.exec(id) ?? [];
      const image = own && finder.find(study ? `${patientId}/${study}/${file}.jpg` : `${id}.jpg`);
      if (!own || !image) {
        yield { dropped: { id, reason: own ? 'there is no image' : 'the split file does not have it' } };
        continue;
      }
      const view = /lateral/i.test(id) ? 'lateral' : 'frontal';
      yield { record: { id, patientId, studyId: `${patientId}_${study}`, image, view, split: own, phrases } };
    }
    yield { note: `chexlocalize: ${basename(path)}, ${entries.length} images (published: val 234, test 668).` };
  }
  if (files === 0) {
    throw new DataError(
      `${root}: expected gt_segmentations_val.json, gt_segmentations_test.json or the gt_annotations files, found none.`,
    );
  }
}
