/**
 * MIMIC-CXR-JPG and MIMIC-CXR (A. Johnson et al., PhysioNet). Their tables are as long as the corpus, so they are sorted
 * on disk by study and image and joined as streams.
 */
import { z } from 'zod';
import { DataError } from '../errors.ts';
import { splitNamed, splitOfPatient } from '../splits.ts';
import { streamTable } from '../tableStream.node.ts';
import type { Corpus, CorpusItem, CorpusLocation, ReadOptions, View } from './corpus.ts';
import { checkFolder, createImageFinder, findMatching } from './files.node.ts';
import { missingReports, openReports } from './mimicReports.node.ts';
import { type Keyed, SortedLookup, sortByKey } from './sort.node.ts';

const id = z
  .string()
  .trim()
  .regex(/^[A-Za-z]?\d{1,12}$/, 'a number');
const imageId = z
  .string()
  .trim()
  .regex(/^[\w.-]{1,100}$/, 'the id of an image');
const imageRow = z.object({
  dicom_id: imageId,
  subject_id: id,
  study_id: id,
  ViewPosition: z.string().optional(),
  path: z.string().optional(),
});
const splitRow = z.object({
  dicom_id: imageId,
  study_id: id,
  split: z.string().refine((value) => splitNamed(value) !== undefined, 'train, validate or test'),
});
const labelRow = z.object({ study_id: id });

const PUBLISHED_IMAGES = 377_110;

/** How many images are looked for where not all are, to see how a copy is laid out. */
const PROBES = 100;

/** Every how many images progress is told. */
const STRIDE = 500;

function mimic(name: string, extension: string, description: string): Corpus {
  return {
    name,
    description,
    purpose: 'training',
    imageRoot: ({ root, images }) => images ?? root,
    read: (location, options = {}) => readMimic(location, options, name, extension),
  };
}

export const mimicCxrJpg = mimic(
  'mimic-cxr-jpg',
  '.jpg',
  'chest radiographs (JPEG) and reports of 65,379 patients; physionet.org/content/mimic-cxr-jpg, credentialed access',
);
export const mimicCxr = mimic(
  'mimic-cxr',
  '.dcm',
  'the same radiographs as DICOM; physionet.org/content/mimic-cxr, credentialed access',
);

interface ImageValue {
  readonly dicom: string;
  readonly study: string;
  readonly patient: string;
  readonly view: string | null;
  readonly path: string | null;
}

async function* readMimic(
  location: CorpusLocation,
  options: ReadOptions,
  name: string,
  extension: string,
): AsyncGenerator<CorpusItem> {
  const { root } = location;
  checkFolder(root, name);
  const tables = tablesOf(root);
  const images = createImageFinder(location.images ?? root, { prefixes: ['files/', ''] });
  const reports = openReports(root, location.reports, options);
  const sources = {
    images: new SortedLookup(sortByKey(tables.count(imageRows(tables.images, options)))),
    splits: tables.splits ? new SortedLookup(sortByKey(splitRows(tables.splits, options))) : undefined,
    labels: tables.labels ? new SortedLookup(sortByKey(labelRows(tables.labels, options))) : undefined,
  };
  if (!sources.splits) {
    yield { note: `${root} has no mimic-cxr-...-split.csv: patients were divided 80 : 10 : 10 instead.` };
  }
  let previous = '';
  let probes = 0;
  let found = 0;
  let reported = 0;
  try {
    for await (const { key, value } of sources.images.rest()) {
      options.signal?.throwIfAborted();
      if (++found % STRIDE === 0) options.onProgress?.('joining tables', found, tables.rows);
      const { dicom, study, patient } = value;
      if (key === previous) {
        yield { dropped: { id: dicom, reason: 'the table of images names it twice' } };
        continue;
      }
      previous = key;
      const usual = value.path ?? `files/p${patient.slice(0, 2)}/p${patient}/s${study}/${dicom}${extension}`;
      // 377,110 files are not looked for one by one: missing ones show when they are read.
      const looked = location.checkImages || probes++ < PROBES ? images.find(usual) : undefined;
      if (location.checkImages && looked === undefined) {
        yield { dropped: { id: dicom, reason: 'there is no image' } };
        continue;
      }
      const image = looked ?? images.guess(usual);
      const split = sources.splits ? await sources.splits.get(key) : splitOfPatient(patient);
      if (split === undefined) {
        yield { dropped: { id: dicom, reason: 'the table of splits does not have it' } };
        continue;
      }
      const sections = await reports.get(study, patient);
      if (!sections) {
        yield { dropped: { id: dicom, reason: 'there is no report' } };
        continue;
      }
      reported++;
      const labels = await sources.labels?.get(study);
      yield {
        record: {
          id: dicom,
          patientId: patient,
          studyId: study,
          image,
          view: viewOf(value.view),
          split,
          sections,
          ...(labels && Object.keys(labels).length > 0 ? { labels } : {}),
        },
      };
      if (probes === PROBES && !images.any()) throw missingImages(location, usual);
    }
    if (found > 0 && reported === 0) throw missingReports(location.reports ?? root);
    if (found > 0 && !images.any()) throw missingImages(location, 'files/p10/p.../s.../...');
    yield {
      note:
        found === PUBLISHED_IMAGES
          ? `${name}: ${found.toLocaleString('en')} images, as published (2.0.0 and 2.1.0).`
          : `${name}: ${found.toLocaleString('en')} images; 2.0.0 and 2.1.0 have ${PUBLISHED_IMAGES.toLocaleString('en')}.`,
    };
  } finally {
    await Promise.all([reports.close(), ...Object.values(sources).map((source) => source?.close())]);
  }
}

function missingImages({ root, images }: CorpusLocation, example: string): DataError {
  return new DataError(
    `${images ?? root}: expected images such as "${example}" (or .png, .dcm, without "files/"), found none of the first. ` +
      'Say where they are with --images.',
  );
}

function tablesOf(root: string) {
  const table = (kind: string): string | undefined =>
    findMatching(root, new RegExp(`^mimic-cxr-\\d[\\d.]*-${kind}\\.csv(\\.gz)?$`));
  const images = table('metadata') ?? findMatching(root, /^cxr-record-list\.csv(\.gz)?$/);
  if (!images) {
    throw new DataError(
      `${root}: expected a table of images, mimic-cxr-2.0.0-metadata.csv or cxr-record-list.csv (or .csv.gz), found none.`,
    );
  }
  const tables = {
    images,
    splits: table('split'),
    labels: table('chexpert') ?? table('negbio'),
    rows: 0,
    async *count<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
      for await (const item of source) {
        tables.rows++;
        yield item;
      }
    },
  };
  return tables;
}

/** Images come in the order of their studies, as reports and labels are found by study. */
const keyOf = (study: string, dicom: string): string => `${digits(study)}/${dicom}`;

function digits(text: string): string {
  return text.replace(/^\D/, '');
}

async function* imageRows(path: string, options: ReadOptions): AsyncGenerator<Keyed<ImageValue>> {
  const onProgress = (done: number, total: number): void => options.onProgress?.('reading images', done, total);
  for await (const { values } of streamTable(path, imageRow, ['dicom_id', 'subject_id', 'study_id'], { onProgress })) {
    options.signal?.throwIfAborted();
    const { dicom_id: dicom, ViewPosition: view = null, path: file = null } = values;
    const [study, patient] = [digits(values.study_id), digits(values.subject_id)];
    yield { key: keyOf(study, dicom), value: { dicom, study, patient, view, path: file } };
  }
}

async function* splitRows(path: string, options: ReadOptions) {
  const onProgress = (done: number, total: number): void => options.onProgress?.('reading splits', done, total);
  for await (const { values } of streamTable(path, splitRow, ['dicom_id', 'study_id', 'split'], { onProgress })) {
    options.signal?.throwIfAborted();
    const split = splitNamed(values.split);
    if (split) yield { key: keyOf(values.study_id, values.dicom_id), value: split };
  }
}

async function* labelRows(path: string, options: ReadOptions): AsyncGenerator<Keyed<Record<string, number>>> {
  const onProgress = (done: number, total: number): void => options.onProgress?.('reading labels', done, total);
  for await (const { values, raw } of streamTable(path, labelRow, ['study_id'], { onProgress })) {
    options.signal?.throwIfAborted();
    const labels = Object.entries(raw).flatMap(([column, text]): [string, number][] => {
      const value = Number(text);
      const isLabel = column !== 'study_id' && column !== 'subject_id' && text.trim() !== '' && Math.abs(value) <= 1;
      return isLabel ? [[column.toLowerCase(), value]] : [];
    });
    yield { key: digits(values.study_id), value: Object.fromEntries(labels) };
  }
}

/** AP and PA are frontal; without the position (as in the list of DICOM files) the view is unknown. */
function viewOf(position: string | null): View {
  if (position === null || position.trim() === '') return 'unknown';
  return /^(AP|PA)$/i.test(position.trim()) ? 'frontal' : 'lateral';
}
