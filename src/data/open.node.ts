import { type PhantomOptions, phantomDataset } from './phantom/dataset.ts';
import type { Dataset } from './types.ts';

/** Names a data set by plain data, so that workers and checkpoints can open it again. */
export type DatasetSpec = { readonly kind: 'phantom' } & PhantomOptions;

export async function openDataset(spec: DatasetSpec): Promise<Dataset> {
  return phantomDataset(spec);
}
