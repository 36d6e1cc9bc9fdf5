/**
 * Writes a data set in the layouts of MIMIC-CXR-JPG (images, tables, reports) and of MS-CXR (phrases with boxes on these
 * images), so that everything that is done with those corpora can be tried on generated data.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { stringify } from 'csv-stringify/sync';
import sharp from 'sharp';
import { hashString } from '../random.ts';
import { maskToBox } from '../regions.ts';
import type { Dataset, GrayImage, GroundedPhrase, Split } from '../types.ts';

export interface MimicIds {
  readonly subject: string;
  readonly study: string;
  readonly dicom: string;
  /** `files/p10/p10000000/s50000000/<dicom>.jpg` */
  readonly path: string;
}

/** Ids in the form of the corpus for the n-th study of a data set. */
export function mimicIds(index: number): MimicIds {
  const subject = String(10_000_000 + index);
  // Not in the order of the subjects, as in the corpus.
  const study = String(50_000_000 + ((index * 7919) % 9_999_991));
  const dicom = Array.from({ length: 5 }, (_, part) =>
    hashString(`${index}:${part}`).toString(16).padStart(8, '0'),
  ).join('-');
  return { subject, study, dicom, path: `files/p${subject.slice(0, 2)}/p${subject}/s${study}/${dicom}.jpg` };
}

/** Reports are indented by a space and headed as those of the corpus. */
export function mimicReport(text: string): string {
  const lines = [
    '                                 FINAL REPORT',
    'EXAMINATION:  CHEST (PA)',
    '',
    ...text.split(/\r?\n/),
  ];
  return `${lines.map((line, i) => (i === 0 ? line : ` ${line}`)).join('\n')}\n`;
}

const SPLITS: Readonly<Record<Split, string>> = { train: 'train', validation: 'validate', test: 'test' };

/** Writes `files/`, the two gzip tables, and `MS_CXR_Local_Alignment_v1.1.0.csv` into the folder. */
export async function writeMimicLayout(
  dataset: Dataset,
  { folder, onStudy }: { folder: string; onStudy?: (done: number, total: number) => void },
): Promise<void> {
  const phrasesOf = new Map<string, GroundedPhrase[]>();
  for (const phrase of dataset.phrases)
    phrasesOf.set(phrase.studyId, [...(phrasesOf.get(phrase.studyId) ?? []), phrase]);
  const images: (string | number)[][] = [];
  const splits: string[][] = [];
  const boxes: (string | number)[][] = [];
  for (const [i, { id, split, report }] of dataset.studies.entries()) {
    const { subject, study, dicom, path } = mimicIds(i);
    const patient = `files/p${subject.slice(0, 2)}/p${subject}`;
    await mkdir(join(folder, patient, `s${study}`), { recursive: true });
    const image = await dataset.loadImage(id);
    await writeFile(join(folder, path), await encodeJpeg(image));
    await writeFile(join(folder, patient, `s${study}.txt`), mimicReport(report));
    images.push([dicom, subject, study, 'PA', image.height, image.width]);
    splits.push([dicom, study, subject, SPLITS[split]]);
    for (const { phrase, category, loadMask } of phrasesOf.get(id) ?? []) {
      const box = maskToBox(await loadMask());
      if (!box) continue;
      const place = [box.x, box.y, box.width, box.height, image.width, image.height];
      boxes.push([category, phrase, path, ...place, dicom, split === 'validation' ? 'val' : split]);
    }
    onStudy?.(i + 1, dataset.studies.length);
  }
  const table = (rows: (string | number)[][], columns: string[]): string => stringify(rows, { header: true, columns });
  const place = ['x', 'y', 'w', 'h', 'image_width', 'image_height'];
  await writeFile(
    join(folder, 'MS_CXR_Local_Alignment_v1.1.0.csv'),
    table(boxes, ['category_name', 'label_text', 'path', ...place, 'dicom_id', 'split']),
  );
  await writeFile(
    join(folder, 'mimic-cxr-2.0.0-split.csv.gz'),
    gzipSync(table(splits, ['dicom_id', 'study_id', 'subject_id', 'split'])),
  );
  // Last, because a folder with a table of images counts as complete.
  await writeFile(
    join(folder, 'mimic-cxr-2.0.0-metadata.csv.gz'),
    gzipSync(table(images, ['dicom_id', 'subject_id', 'study_id', 'ViewPosition', 'Rows', 'Columns'])),
  );
}

async function encodeJpeg({ width, height, data }: GrayImage): Promise<Uint8Array> {
  const bytes = Uint8Array.from(data, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  return sharp(bytes, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .jpeg({ quality: 95 })
    .toBuffer();
}
