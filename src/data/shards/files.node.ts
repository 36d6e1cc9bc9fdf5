/** Reading parts of large files by position, and whole small files with a bound. */
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { DataError } from '../errors.ts';
import { REMEDY } from './format.ts';

/** Files that stay open; far below the 256 of a system with a low limit, above what a training run reads at a time. */
const MAX_OPEN = 64;

interface OpenFile {
  readonly handle: Promise<FileHandle>;
  users: number;
}
/** Least recently used first. Shared by all data sets of a thread, so that their number does not count. */
const openFiles = new Map<string, OpenFile>();

async function withFile<T>(path: string, version: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  // A file that was prepared anew under the same name is another file.
  const key = `${version}:${path}`;
  const file = openFiles.get(key) ?? { handle: open(path, 'r'), users: 0 };
  openFiles.delete(key);
  openFiles.set(key, file);
  file.users += 1;
  // A file that cannot be opened now may be there the next time.
  file.handle.catch(() => openFiles.delete(key));
  try {
    return await use(await file.handle);
  } finally {
    file.users -= 1;
    await closeUnused();
  }
}

async function closeUnused(): Promise<void> {
  for (const [key, file] of openFiles) {
    if (openFiles.size <= MAX_OPEN) return;
    if (file.users > 0) continue;
    openFiles.delete(key);
    await file.handle.then((handle) => handle.close()).catch(() => {});
  }
}

/**
 * Bytes of a file from `offset` on. `version` tells contents of one path apart. Throws DataError that begins with
 * `where` when the file cannot be read or ends before.
 */
export async function readPart(
  file: { readonly path: string; readonly version: string },
  { offset, bytes }: { readonly offset: number; readonly bytes: number },
  where: string,
): Promise<Uint8Array> {
  try {
    return await withFile(file.path, file.version, async (handle) => {
      const buffer = Buffer.allocUnsafe(bytes);
      let done = 0;
      while (done < bytes) {
        const { bytesRead } = await handle.read(buffer, done, bytes - done, offset + done);
        if (bytesRead === 0) {
          throw new DataError(
            `${where}: expected ${bytes} bytes at ${offset}, found only ${done}; the file was cut off. ${REMEDY}`,
          );
        }
        done += bytesRead;
      }
      return buffer;
    });
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${where}: cannot be read (${error instanceof Error ? error.message : error}). ${REMEDY}`);
  }
}

/** A whole file of known size. Throws DataError that begins with `where` when it is absent or of another size. */
export async function readWhole(path: string, where: string, bytes?: number): Promise<Buffer> {
  try {
    const { size } = await stat(path);
    if (bytes !== undefined && size !== bytes) {
      throw new DataError(`${where}: expected ${bytes} bytes, found ${size}. ${REMEDY}`);
    }
    return await readFile(path);
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${where}: cannot be read (${error instanceof Error ? error.message : error}). ${REMEDY}`);
  }
}
