/**
 * Writes a data set to disk in the layout of a folder of one's own (`folder.node.ts`) and beside it in the layouts of two
 * public corpora, so that every reader can be tried on generated data.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { encodeGrayPng, encodePng } from '../../io/png.node.ts';
import { maskToBox } from '../regions.ts';
import type { Box, Dataset, GroundedPhrase, Mask } from '../types.ts';
import { contactSheet, type SheetItem } from './contact-sheet.ts';

export interface WriteOptions {
  /** Target folder; it is created, and files of the same names are replaced. */
  readonly folder: string;
  /** WordPiece pieces for `vocab.txt`. */
  readonly vocabulary?: readonly string[];
  /** Called after each study. */
  readonly onStudy?: (done: number, total: number) => void;
}

interface WrittenPhrase {
  readonly id: string;
  readonly phrase: GroundedPhrase;
  readonly maskFile: string;
  readonly box: Box | undefined;
  readonly area: number;
  readonly width: number;
  readonly height: number;
}

/** Categories that the RSNA challenge labels as opacities suspicious for pneumonia. */
const RSNA_POSITIVE = new Set(['pneumonia', 'consolidation', 'lung opacity', 'covid-like']);
const SHEET_STUDIES = 24;

/**
 * Writes images/, phrase-masks/, manifest.csv, phrases.csv, vocab.txt, contact-sheet.png, `MS_CXR_Local_Alignment.json`
 * (COCO boxes as in MS-CXR), `stage_2_train_labels.csv` and `stage_2_detailed_class_info.csv` (as in RSNA, boxes in a
 * frame of 1024x1024).
 */
export async function writeDataset(dataset: Dataset, options: WriteOptions): Promise<void> {
  const { folder, vocabulary, onStudy } = options;
  await mkdir(join(folder, 'images'), { recursive: true });
  await mkdir(join(folder, 'phrase-masks'), { recursive: true });
  const phrasesOf = new Map<string, GroundedPhrase[]>();
  for (const phrase of dataset.phrases)
    phrasesOf.set(phrase.studyId, [...(phrasesOf.get(phrase.studyId) ?? []), phrase]);

  const written: WrittenPhrase[] = [];
  const sheet: SheetItem[] = [];
  let done = 0;
  for (const study of dataset.studies) {
    const image = await dataset.loadImage(study.id);
    await writeFile(join(folder, imageFile(study.id)), encodeGrayPng(image));
    const masks: Mask[] = [];
    for (const [i, phrase] of (phrasesOf.get(study.id) ?? []).entries()) {
      const mask = await phrase.loadMask();
      masks.push(mask);
      const id = `${study.id}--${i + 1}`;
      const maskFile = `phrase-masks/${id}.png`;
      await writeFile(join(folder, maskFile), encodeGrayPng(mask));
      const area = mask.data.reduce((sum, value) => sum + value, 0);
      written.push({ id, phrase, maskFile, box: maskToBox(mask), area, width: mask.width, height: mask.height });
    }
    if (sheet.length < SHEET_STUDIES) sheet.push({ image, masks });
    onStudy?.(++done, dataset.studies.length);
  }

  const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
  await write('phrases.csv', phrasesCsv(written));
  await write('MS_CXR_Local_Alignment.json', `${JSON.stringify(msCxrJson(written), null, 1)}\n`);
  const rsna = rsnaTables(dataset, written);
  await write('stage_2_train_labels.csv', rsna.labels);
  await write('stage_2_detailed_class_info.csv', rsna.classes);
  if (vocabulary) await write('vocab.txt', `${vocabulary.join('\n')}\n`);
  await writeFile(join(folder, 'contact-sheet.png'), encodePng({ ...contactSheet(sheet, 8), channels: 3 }));
  // Last, because a folder with a manifest counts as complete.
  await write('manifest.csv', manifestCsv(dataset));
}

function imageFile(studyId: string): string {
  return `images/${studyId}.png`;
}

function manifestCsv(dataset: Dataset): string {
  return stringify(
    dataset.studies.map(({ id, patientId, split, report }) => [id, imageFile(id), patientId, split, 'PA', report]),
    { header: true, columns: ['id', 'file', 'patient_id', 'split', 'view', 'text'] },
  );
}

function phrasesCsv(written: readonly WrittenPhrase[]): string {
  const attributes = [...new Set(written.flatMap(({ phrase }) => Object.keys(phrase.attributes)))];
  const rows = written.map(({ id, phrase, maskFile, box, area }) => [
    id,
    phrase.studyId,
    phrase.phrase,
    phrase.sentence ?? '',
    phrase.category,
    ...attributes.map((attribute) => phrase.attributes[attribute] ?? ''),
    maskFile,
    ...(box ? [box.x, box.y, box.width, box.height] : ['', '', '', '']),
    area,
  ]);
  const columns = ['phrase_id', 'image_id', 'phrase', 'sentence', 'category', ...attributes];
  return stringify(rows, {
    header: true,
    columns: [...columns, 'mask_file', 'x', 'y', 'width', 'height', 'mask_area'],
  });
}

function msCxrJson(written: readonly WrittenPhrase[]): object {
  const names = [...new Set(written.map(({ phrase }) => phrase.category))];
  const imageIds = new Map<string, number>();
  const images: object[] = [];
  for (const { phrase, width, height } of written) {
    if (imageIds.has(phrase.studyId)) continue;
    imageIds.set(phrase.studyId, imageIds.size + 1);
    const path = imageFile(phrase.studyId);
    images.push({ id: imageIds.size, file_name: path.replace(/.*\//, ''), path, width, height });
  }
  return {
    info: {
      description: 'Generated phantom radiographs in the layout of MS-CXR. Research use only, not for diagnosis.',
    },
    categories: names.map((name, i) => ({ id: i + 1, name, supercategory: '' })),
    images,
    annotations: written.flatMap(({ phrase, box, width, height }, i) =>
      box
        ? {
            id: i + 1,
            image_id: imageIds.get(phrase.studyId),
            category_id: names.indexOf(phrase.category) + 1,
            bbox: [box.x, box.y, box.width, box.height],
            width,
            height,
            label_text: phrase.phrase,
          }
        : [],
    ),
  };
}

/** Side length of the frame that RSNA's boxes are in, whatever the size of the images. */
const RSNA_FRAME = 1024;

/** One row per box; an image without one has a row with empty cells and Target 0. */
function rsnaTables(dataset: Dataset, written: readonly WrittenPhrase[]): { labels: string; classes: string } {
  const labels: (string | number)[][] = [];
  const classes: string[][] = [];
  for (const { id } of dataset.studies) {
    const own = written.filter(({ phrase }) => phrase.studyId === id);
    // Two phrases for one region (the unseen class and its query) are one box.
    const boxes = new Map<string, Box>();
    for (const { phrase, box, width, height } of own)
      if (box && RSNA_POSITIVE.has(phrase.category)) boxes.set(JSON.stringify(box), toRsnaFrame(box, width, height));
    const name = boxes.size > 0 ? 'Lung Opacity' : own.length > 0 ? 'No Lung Opacity / Not Normal' : 'Normal';
    for (const { x, y, width, height } of boxes.values()) {
      labels.push([id, x, y, width, height, 1]);
      classes.push([id, name]);
    }
    if (boxes.size === 0) {
      labels.push([id, '', '', '', '', 0]);
      classes.push([id, name]);
    }
  }
  return {
    labels: stringify(labels, { header: true, columns: ['patientId', 'x', 'y', 'width', 'height', 'Target'] }),
    classes: stringify(classes, { header: true, columns: ['patientId', 'class'] }),
  };
}

function toRsnaFrame(box: Box, width: number, height: number): Box {
  const [scaleX, scaleY] = [RSNA_FRAME / width, RSNA_FRAME / height];
  return { x: box.x * scaleX, y: box.y * scaleY, width: box.width * scaleX, height: box.height * scaleY };
}
