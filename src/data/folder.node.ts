/**
 * A folder of the user's own: `manifest.csv` (file, text, patient_id; optional id, split, view) and, for evaluation,
 * `phrases.csv` (image_id, phrase; a region as mask_file, as x/y/width/height, or as masks/<id>__<class>.png).
 */
import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { readImage } from '../io/image.node.ts';
import { readTable } from './csv.node.ts';
import type { Table, TableRow } from './csv.ts';
import { DataError } from './errors.ts';
import { readPhrases } from './phrases.node.ts';
import { type SplitOptions, splitNamed, splitOfPatient } from './splits.ts';
import type { Dataset, DroppedStudy, GrayImage, Study } from './types.ts';

/** The splits are used where the manifest has no `split` column. */
export interface FolderOptions extends SplitOptions {
  readonly path: string;
}

const manifestSchema = z.object({
  file: z.string().trim().min(1, 'the path of an image'),
  text: z.string(),
  patient_id: z.string().trim().min(1, 'the id of a patient').optional(),
  id: z.string().trim().min(1, 'an id').optional(),
  split: z
    .string()
    .transform(splitNamed)
    .refine((value) => value !== undefined, 'train, validation or test')
    .optional(),
  view: z.string().optional(),
});
type ManifestRow = TableRow<z.infer<typeof manifestSchema>>;

/**
 * Opens the folder and checks every row before anything is trained. Lateral views are left out and listed in `dropped`.
 * Images and masks are decoded when asked for. Throws DataError with file, row and column for whatever does not fit.
 */
export async function folderDataset(options: FolderOptions): Promise<Dataset> {
  const folder = resolve(options.path);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new DataError(
      `${options.path}: expected a folder with a manifest.csv, found ${existsSync(folder) ? 'a file' : 'nothing'}.`,
    );
  }
  const manifest = await readTable(join(folder, 'manifest.csv'), manifestSchema, ['file', 'text']);
  const has = (column: string): boolean => manifest.columns.includes(column);
  if (!has('split') && !has('patient_id')) {
    throw new DataError(
      'manifest.csv: expected a column "patient_id" (to split by patient) or "split", found neither. ' +
        'Images of one patient must not be in two splits.',
    );
  }
  const rowOfId = indexRows(manifest, folder);
  const studies: Study[] = [];
  const dropped: DroppedStudy[] = [];
  for (const [id, row] of rowOfId) {
    if (isLateral(row.values.view ?? '')) {
      dropped.push({ studyId: id, reason: 'the view is lateral, only frontal ones are used' });
      continue;
    }
    const patientId = row.values.patient_id ?? id;
    const split = row.values.split ?? splitOfPatient(patientId, options);
    studies.push({ id, patientId, split, report: row.values.text });
  }
  checkPatients(studies);
  const loadImage = async (studyId: string): Promise<GrayImage> => {
    const row = rowOfId.get(studyId);
    if (!row) throw new DataError(`${folder}: there is no study "${studyId}" in manifest.csv.`);
    return readImage(join(folder, row.values.file), `${row.values.file} (manifest.csv row ${row.number})`);
  };
  const phrasesPath = join(folder, 'phrases.csv');
  return {
    name: basename(folder),
    studies,
    dropped,
    phrases: existsSync(phrasesPath)
      ? await readPhrases(phrasesPath, { has: (id) => rowOfId.has(id), size: loadImage })
      : [],
    loadImage,
  };
}

function indexRows(manifest: Table<ManifestRow['values']>, folder: string): Map<string, ManifestRow> {
  if (manifest.rows.length === 0) throw new DataError('manifest.csv: expected rows below the header, found none.');
  const rows = new Map<string, ManifestRow>();
  for (const row of manifest.rows) {
    const { file } = row.values;
    const id = row.values.id ?? file.replace(/\.[^./]*$/, '');
    const same = rows.get(id);
    if (same) {
      throw new DataError(
        `manifest.csv row ${row.number}: expected a new id, found "${id}" again (first in row ${same.number}).`,
      );
    }
    if (!existsSync(join(folder, file))) {
      throw new DataError(
        `manifest.csv row ${row.number}, column "file": expected an image at "${file}", found no such file.`,
      );
    }
    rows.set(id, row);
  }
  return rows;
}

function isLateral(view: string): boolean {
  return /^(l|ll|rl|lat|lateral)\b/i.test(view.trim());
}

function checkPatients(studies: readonly Study[]): void {
  const splitOf = new Map<string, Study>();
  for (const study of studies) {
    const other = splitOf.get(study.patientId);
    if (other && other.split !== study.split) {
      throw new DataError(
        `manifest.csv: patient "${study.patientId}" is in two splits (${other.id}: ${other.split}, ${study.id}: ${study.split}). ` +
          'Put all images of a patient into one split.',
      );
    }
    splitOf.set(study.patientId, study);
  }
}
