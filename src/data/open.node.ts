import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dropEmptyReports } from './empty-reports.ts';
import { type FolderOptions, folderDataset } from './folder.node.ts';
import { type PhantomOptions, phantomDataset } from './phantom/dataset.ts';
import { type ShardsOptions, shardsDataset } from './shards/dataset.node.ts';
import { INDEX_FILE, PLAN_FILE } from './shards/format.ts';
import type { Dataset } from './types.ts';

/** Names a data set by plain data, so that workers and checkpoints can open it again. */
export type DatasetSpec =
  | ({ readonly kind: 'phantom' } & PhantomOptions)
  | ({ readonly kind: 'folder' } & FolderOptions)
  | ({ readonly kind: 'shards' } & ShardsOptions);

/**
 * Opens a data set; studies whose report is empty are left out and listed in `dropped`. Throws DataError for data that
 * cannot be used.
 */
export async function openDataset(spec: DatasetSpec): Promise<Dataset> {
  switch (spec.kind) {
    case 'phantom':
      return dropEmptyReports(phantomDataset(spec));
    case 'folder':
      return dropEmptyReports(await folderDataset(spec));
    case 'shards':
      return dropEmptyReports(await shardsDataset(spec));
  }
}

/** What a folder of the user's holds: shards that `groundray prepare` wrote (or has begun to), or a manifest.csv. */
export function specOfFolder(path: string): { readonly kind: 'folder' | 'shards'; readonly path: string } {
  const isPrepared = [INDEX_FILE, PLAN_FILE].some((file) => existsSync(join(path, file)));
  return { kind: isPrepared ? 'shards' : 'folder', path };
}
