/** A folder with a manifest.csv as a corpus, so that it can be indexed like the public ones. */
import { join } from 'node:path';
import { z } from 'zod';
import { readTable } from '../csv.node.ts';
import { folderDataset } from '../folder.node.ts';
import { selectReportText } from '../text/sections.ts';
import type { Corpus } from './corpus.ts';

const fileRow = z.object({ file: z.string(), id: z.string().optional() });

export const folder: Corpus = {
  name: 'folder',
  description: 'images and reports of your own with a manifest.csv; also what groundray phantom writes',
  purpose: 'training',
  imageRoot: ({ root }) => root,
  async *read({ root }, { onProgress } = {}) {
    const { studies, dropped = [], phrases } = await folderDataset({ path: root });
    const { rows } = await readTable(join(root, 'manifest.csv'), fileRow, ['file']);
    const fileOf = new Map(rows.map(({ values: { file, id } }) => [id?.trim() ?? file.replace(/\.[^./]*$/, ''), file]));
    for (const { studyId, reason } of dropped) yield { dropped: { id: studyId, reason } };
    for (const [i, { id, patientId, split, report }] of studies.entries()) {
      onProgress?.('reading reports', i + 1, studies.length);
      // Chosen by the same rules as without an index: the text of a folder may be a plain note.
      const sections = { findings: selectReportText(report) };
      yield {
        record: { id, patientId, studyId: id, image: fileOf.get(id)?.trim() ?? '', view: 'frontal', split, sections },
      };
    }
    if (phrases.length > 0) {
      yield { note: 'folder: an index has no phrases of a phrases.csv; evaluate with --data <folder> instead.' };
    }
  },
};
