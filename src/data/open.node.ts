import { type CorpusSpec, corpusDataset, indexDataset } from './corpora/dataset.node.ts';
import { dropEmptyReports } from './empty-reports.ts';
import { type FolderOptions, folderDataset } from './folder.node.ts';
import { type PhantomOptions, phantomDataset } from './phantom/dataset.ts';
import { type ShardsOptions, shardsDataset } from './shards/dataset.node.ts';
import type { Dataset } from './types.ts';

/** Names a data set by plain data, so that workers and checkpoints can open it again. */
export type DatasetSpec =
  | ({ readonly kind: 'phantom' } & PhantomOptions)
  | ({ readonly kind: 'folder' } & FolderOptions)
  | ({ readonly kind: 'corpus' } & CorpusSpec)
  | { readonly kind: 'index'; readonly path: string }
  | ({ readonly kind: 'shards' } & ShardsOptions);

/**
 * Opens a data set; studies whose report is empty are left out and listed in `dropped`. Throws DataError for data that
 * cannot be used.
 */
export async function openDataset(spec: DatasetSpec): Promise<Dataset> {
  return dropEmptyReports(await openWhole(spec));
}

async function openWhole(spec: DatasetSpec): Promise<Dataset> {
  switch (spec.kind) {
    case 'phantom':
      return phantomDataset(spec);
    case 'folder':
      return folderDataset(spec);
    case 'corpus':
      return corpusDataset(spec);
    case 'index':
      return indexDataset(spec);
    case 'shards':
      return shardsDataset(spec);
  }
}
