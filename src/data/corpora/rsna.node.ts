/** RSNA Pneumonia Detection Challenge (Kaggle 2018): boxes of opacities in a frame of 1024x1024 pixels. */
import { readTable } from '../csv.node.ts';
import type { Split } from '../types.ts';
import type { Corpus, CorpusItem, CorpusLocation, ReadOptions } from './corpus.ts';
import { checkFolder, createImageFinder, requireMatching } from './files.node.ts';
import { RSNA_FRAME, rsnaBoxes, rsnaColumns, rsnaRow } from './rsnaBoxes.ts';
import { readSplitFile } from './splitFile.node.ts';

export const RSNA_QUERY = 'Findings suggesting pneumonia.';

const PUBLISHED = { rows: 30_227, images: 26_684, positive: 6_012 };

export const rsna: Corpus = {
  name: 'rsna',
  description:
    'chest radiographs with boxes of opacities; kaggle.com/c/rsna-pneumonia-detection-challenge, competition rules',
  purpose: 'evaluation',
  imageRoot: ({ root, images }) => images ?? root,
  read: readRsna,
};

async function* readRsna(
  location: CorpusLocation,
  { onProgress, signal }: ReadOptions = {},
): AsyncGenerator<CorpusItem> {
  checkFolder(location.root, 'rsna');
  const path = requireMatching(location.root, /^stage_2_train_labels\.csv(\.gz)?$/, 'stage_2_train_labels.csv');
  const splitOf = location.splitFile ? await readSplitFile(location.splitFile) : (): Split => 'test';
  const { rows } = await readTable(path, rsnaRow, rsnaColumns);
  const boxesOf = rsnaBoxes(rows, 'stage_2_train_labels.csv');
  const finder = createImageFinder(location.images ?? location.root, {
    prefixes: ['stage_2_train_images/', 'stage_2_train_images_png/', 'images/', ''],
  });
  let done = 0;
  for (const [id, boxes] of boxesOf) {
    signal?.throwIfAborted();
    onProgress?.('looking for images', ++done, boxesOf.size);
    const split = splitOf(id);
    const image = split && finder.find(`${id}.dcm`);
    if (!split || !image) {
      yield { dropped: { id, reason: split ? 'there is no image' : 'the split file does not have it' } };
      continue;
    }
    const region = { kind: 'boxes', boxes, width: RSNA_FRAME, height: RSNA_FRAME } as const;
    yield {
      record: {
        id,
        patientId: id,
        studyId: id,
        image,
        view: 'frontal',
        split,
        labels: { pneumonia: boxes.length > 0 ? 1 : 0 },
        ...(boxes.length > 0 ? { phrases: [{ phrase: RSNA_QUERY, category: 'pneumonia', region }] } : {}),
      },
    };
  }
  const positive = [...boxesOf.values()].filter((boxes) => boxes.length > 0).length;
  const isPublished =
    rows.length === PUBLISHED.rows && boxesOf.size === PUBLISHED.images && positive === PUBLISHED.positive;
  yield {
    note:
      `rsna: ${rows.length.toLocaleString('en')} rows, ${boxesOf.size.toLocaleString('en')} images, ${positive.toLocaleString('en')} ` +
      `with boxes; ${isPublished ? 'as published' : 'stage 2 as published has 30,227, 26,684 and 6,012'}.`,
  };
}
