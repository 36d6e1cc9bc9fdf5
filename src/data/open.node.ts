import { dropEmptyReports } from './empty-reports.ts';
import { type FolderOptions, folderDataset } from './folder.node.ts';
import { type PhantomOptions, phantomDataset } from './phantom/dataset.ts';
import type { Dataset } from './types.ts';

/** Names a data set by plain data, so that workers and checkpoints can open it again. */
export type DatasetSpec =
  | ({ readonly kind: 'phantom' } & PhantomOptions)
  | ({ readonly kind: 'folder' } & FolderOptions);

/**
 * Opens a data set; studies whose report is empty are left out and listed in `dropped`. Throws DataError for data that
 * cannot be used.
 */
export async function openDataset(spec: DatasetSpec): Promise<Dataset> {
  return dropEmptyReports(spec.kind === 'phantom' ? phantomDataset(spec) : await folderDataset(spec));
}
