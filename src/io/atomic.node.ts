import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeAtomic from 'write-file-atomic';

/** What a file can be written from; an iterable is streamed, so a checkpoint never has to exist in one piece. */
export type FileContent = Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Writes a file so that its path only ever shows the old or the complete new content: a temporary file in the same
 * folder is written, flushed to the disk (fsync) and renamed over the path. Missing parent folders are created.
 * Strings are written as UTF-8. Two writes to one path at the same time are queued.
 *
 * @throws Error naming the path when it cannot be written (no space, no permission); the old content then stays.
 */
export async function writeFileAtomic(path: string, content: FileContent): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    // The content goes in through the hook and not as the data argument: the library writes data with a single
    // write(2) and ignores a short count, so a disk that fills up half-way would leave a truncated file renamed into
    // place. writeFile from node:fs repeats until everything is written or an error is thrown.
    await writeAtomic(path, '', {
      fsync: true,
      tmpfileCreated: (temporary: string) => writeFile(temporary, content),
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Cannot write ${path}: ${reason}. Check that the folder is writable and the disk is not full.`, {
      cause,
    });
  }
}

/** Writes a value as indented JSON with a final newline, atomically (see `writeFileAtomic`). */
export async function writeJsonAtomic(path: string, value: unknown): Promise<void> {
  const text = JSON.stringify(value, null, 2);
  if (text === undefined) throw new Error(`Cannot write ${path}: the value (${typeof value}) has no JSON form.`);
  await writeFileAtomic(path, `${text}\n`);
}
