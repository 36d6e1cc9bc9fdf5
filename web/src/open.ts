import { offerBatch } from './batch.ts';
import { type DroppedFile, sortDropped } from './dropped.ts';
import { attempt, openFiles } from './session.ts';
import { opened, problem } from './state.ts';
import { giveTruth } from './truth.ts';

const plain = (files: readonly DroppedFile[]): File[] => files.map(({ file }) => file);

/** Does with dropped files what they are for. */
export function openDropped(files: readonly DroppedFile[]): Promise<void> {
  return attempt(async () => {
    const dropped = sortDropped(files, opened.value !== undefined);
    if (dropped.kind === 'model') return openFiles(plain(dropped.files));
    if (dropped.kind === 'truth') return giveTruth(plain(dropped.files));
    if (dropped.kind === 'many') return offerBatch(files);
    await openFiles([dropped.image.file]);
    if (problem.value === '' && dropped.truth.length > 0) await giveTruth(plain(dropped.truth));
  });
}
