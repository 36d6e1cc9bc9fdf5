import { type Checkpoint, type CheckpointFiles, parseCheckpoint } from './checkpoint.ts';
import { givenFiles } from './givenFiles.ts';
import { readModel } from './modelFiles.ts';

/** Where a model comes from: files that a person gave, or a run in memory. Another worker can open it anew. */
export type ModelSource =
  | { readonly given: readonly File[] }
  | { readonly name: string; readonly run: CheckpointFiles };

/** @throws ConfigError, DataError, ShapeError or TensorFileError that says which file is wrong or missing. */
export async function openSource(source: ModelSource): Promise<Checkpoint> {
  if ('run' in source) return parseCheckpoint(source.name, source.run);
  return readModel(await givenFiles(source.given));
}

/** Bytes of its files. */
export function sourceBytes(source: ModelSource): number {
  if ('run' in source) return source.run.weights.bytes.byteLength;
  return source.given.reduce((sum, { size }) => sum + size, 0);
}
