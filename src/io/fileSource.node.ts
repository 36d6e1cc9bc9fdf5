import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type ByteSource, checkRange } from './byteSource.ts';
import { TensorFileError } from './errors.ts';

/** One read(2) moves less than 2 GiB. */
const mostPerRead = 2 ** 30;

/** Reads a file by position. @throws TensorFileError if it is no file or cannot be opened. */
export function fileSource(path: string): ByteSource {
  const unreadable = (reason: string): TensorFileError =>
    new TensorFileError(`The weights ${path} cannot be read: ${reason}.`);
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw unreadable(code === 'ENOENT' ? 'there is no such file' : `${error instanceof Error ? error.message : error}`);
  }
  const stat = fstatSync(file);
  if (!stat.isFile()) {
    closeSync(file);
    throw unreadable('it is not a file');
  }
  let isOpen = true;
  const source: ByteSource = {
    name: path,
    size: stat.size,
    read(begin, length) {
      checkRange(source, begin, length);
      if (!isOpen) throw new Error(`${path} was closed and cannot be read any more.`);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const count = readSync(file, bytes, done, Math.min(length - done, mostPerRead), begin + done);
        if (count === 0) throw new TensorFileError(`${path} became shorter while it was read.`);
        done += count;
      }
      return bytes;
    },
    close() {
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
  return source;
}
