/** Indiana University Chest X-rays: the XML files of Open-i, or the two CSVs of the copy on Kaggle. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readTable } from '../csv.node.ts';
import { DataError } from '../errors.ts';
import { splitOfPatient } from '../splits.ts';
import type { Corpus, CorpusItem, CorpusLocation, ReadOptions, ReportSections, View } from './corpus.ts';
import { checkFolder, createImageFinder, findFirst, findMatching, readTextFile } from './files.node.ts';
import { parseOpenI } from './openi-xml.ts';

export const iuXray: Corpus = {
  name: 'iu-xray',
  description:
    'radiographs and reports of Indiana University; openi.nlm.nih.gov, CC BY-NC-ND 4.0 by the files themselves',
  purpose: 'training',
  imageRoot: ({ root, images }) => images ?? root,
  read: readIuXray,
};

interface IuReport {
  readonly uid: string;
  readonly sections: ReportSections;
  /** File names without extension. */
  readonly images: readonly string[];
  readonly mesh: readonly string[];
}

const IMAGE_FOLDERS = ['', 'NLMCXR_png/', 'NLMCXR_dcm/', 'images/', 'images/images_normalized/', 'images_normalized/'];

async function* readIuXray(location: CorpusLocation, options: ReadOptions = {}): AsyncGenerator<CorpusItem> {
  const { root } = location;
  checkFolder(root, 'iu-xray');
  const projections = await readProjections(root);
  const kaggle = findMatching(root, /^indiana_reports\.csv(\.gz)?$/);
  const finder = createImageFinder(location.images ?? root, { prefixes: IMAGE_FOLDERS });
  let unknown = 0;
  let images = 0;
  let reports = 0;
  const source = kaggle ? readKaggle(kaggle, projections, options) : readXml(location, options);
  for await (const { uid, sections, images: names, mesh } of source) {
    reports++;
    if (names.length === 0) yield { dropped: { id: `CXR${uid}`, reason: 'the report names no image' } };
    for (const name of names) {
      images++;
      const image = finder.find(`${name}.png`) ?? finder.find(`${name}.dcm.png`);
      if (!image) {
        yield { dropped: { id: name, reason: 'there is no image' } };
        continue;
      }
      const view = projections?.get(bare(name))?.view ?? 'unknown';
      if (view === 'unknown') unknown++;
      // The collection has no patients; a report stands for one.
      const patientId = `CXR${uid}`;
      const labels = Object.fromEntries(mesh.map((term) => [term.toLowerCase(), 1]));
      const record = { id: name, patientId, studyId: patientId, image, view, split: splitOfPatient(patientId) };
      yield { record: { ...record, sections, ...(mesh.length > 0 ? { labels } : {}) } };
    }
  }
  if (images > 0 && !finder.any()) {
    throw new DataError(
      `${location.images ?? root}: expected the images in NLMCXR_png/ or images/images_normalized/, found none of them. ` +
        'Say where they are with --images.',
    );
  }
  yield { note: `iu-xray: ${reports.toLocaleString('en')} reports, ${images.toLocaleString('en')} images.` };
  if (unknown > 0) {
    yield {
      note:
        `iu-xray: the view of ${unknown} images is unknown, as the XML files do not say it: put indiana_projections.csv of the ` +
        'Kaggle copy beside them, or keep these images with --views unknown.',
    };
  }
}

const projectionRow = z.object({
  uid: z.string().trim().min(1, 'the number of a report'),
  filename: z.string().trim().min(1, 'the name of an image'),
  projection: z.string().trim(),
});
type Projections = ReadonlyMap<string, { readonly uid: string; readonly name: string; readonly view: View }>;

/** `1_IM-0001-4001.dcm.png` of Kaggle is `CXR1_IM-0001-4001` or `CXR1_1_IM-0001-4001` of Open-i. */
function bare(name: string): string {
  return name
    .replace(/\.(?:dcm\.png|png|dcm|jpe?g)$/i, '')
    .replace(/^CXR(?=\d)/i, '')
    .replace(/^(\d{1,9})_\1_/, '$1_');
}

async function readProjections(root: string): Promise<Projections | undefined> {
  const path = findMatching(root, /^indiana_projections\.csv(\.gz)?$/);
  if (!path) return undefined;
  const { rows } = await readTable(path, projectionRow, ['uid', 'filename', 'projection']);
  return new Map(
    rows.map(({ values: { uid, filename, projection } }) => {
      const view = /^frontal$/i.test(projection) ? 'frontal' : /^lateral$/i.test(projection) ? 'lateral' : 'unknown';
      return [bare(filename), { uid, name: filename.replace(/\.png$/i, ''), view }];
    }),
  );
}

const reportRow = z.object({
  uid: z.string().trim().min(1, 'the number of a report'),
  MeSH: z.string().default(''),
  comparison: z.string().default(''),
  findings: z.string().default(''),
  impression: z.string().default(''),
});

async function* readKaggle(
  path: string,
  projections: Projections | undefined,
  { onProgress, signal }: ReadOptions,
): AsyncGenerator<IuReport> {
  if (!projections) {
    throw new DataError(`${path}: expected indiana_projections.csv beside it, which names the images; found none.`);
  }
  const imagesOf = new Map<string, string[]>();
  for (const { uid, name } of projections.values()) imagesOf.set(uid, [...(imagesOf.get(uid) ?? []), name]);
  const { rows } = await readTable(path, reportRow, ['uid', 'findings', 'impression']);
  for (const [i, { values }] of rows.entries()) {
    signal?.throwIfAborted();
    onProgress?.('reading reports', i + 1, rows.length);
    const { uid, MeSH, findings, impression, comparison } = values;
    const mesh = MeSH.split(';').map((term) => term.trim());
    const sections = filledSections({ findings, impression, comparison });
    yield { uid, sections, images: imagesOf.get(uid) ?? [], mesh: mesh.filter((term) => term !== '') };
  }
}

async function* readXml(
  { root, reports }: CorpusLocation,
  { onProgress, signal }: ReadOptions,
): AsyncGenerator<IuReport> {
  const candidates = ['ecgen-radiology', 'NLMCXR_reports/ecgen-radiology', 'NLMCXR_reports', 'reports', ''];
  const folder = candidates
    .flatMap((name) => findFirst(reports ?? root, [name]) ?? [])
    .find((path) => readdirSync(path).some((file) => /\.xml$/i.test(file)));
  if (folder === undefined) {
    throw new DataError(
      `${reports ?? root}: expected reports as ecgen-radiology/<number>.xml or as indiana_reports.csv, found neither.`,
    );
  }
  const files = readdirSync(folder)
    .filter((file) => /\.xml$/i.test(file))
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1));
  for (const [i, file] of files.entries()) {
    signal?.throwIfAborted();
    onProgress?.('reading reports', i + 1, files.length);
    const { id, sections, images, mesh } = parseOpenI(readTextFile(join(folder, file)), file);
    yield { uid: id.replace(/^CXR/i, ''), sections: filledSections(sections), images, mesh };
  }
}

function filledSections(sections: Readonly<Record<string, string>>): ReportSections {
  return Object.fromEntries(
    Object.entries(sections)
      .map(([name, text]) => [name, text.trim()] as const)
      .filter(([, text]) => text !== ''),
  );
}
