import { type UnzipFileInfo, unzipSync } from 'fflate';
import { GpuError } from '../../../src/gpu/errors.ts';
import { type ByteSource, bytesSource, checkRange } from '../../../src/io/byteSource.ts';
import { TensorFileError } from '../../../src/io/errors.ts';
import { endsWithAny, MODEL_ENDINGS } from '../files.ts';
import type { ModelFile } from './modelFiles.ts';

/** Of workers; the types of pages lack it. */
declare class FileReaderSync {
  readAsArrayBuffer(part: Blob): ArrayBuffer;
}

/** Reads a file where it lies, a part at a time: weights of any size need no memory of their own. */
function fileSource(file: File, name: string): ByteSource {
  const source: ByteSource = {
    name,
    size: file.size,
    read(begin, length) {
      checkRange(source, begin, length);
      try {
        return new Uint8Array(new FileReaderSync().readAsArrayBuffer(file.slice(begin, begin + length)));
      } catch (error) {
        if (!(error instanceof DOMException)) throw error;
        throw new TensorFileError(`${name} cannot be read any more (${error.name}): choose or drop it again.`);
      }
    },
    close() {},
  };
  return source;
}

/** Most that is unpacked: all of it is in memory. */
const mostUnpacked = 2 ** 31;

/** What archives hold beside the files that were put into them. */
const hidden = /(^|\/)(__MACOSX\/|\.)/;

/**
 * The files of a model in a zip, at any depth.
 * @throws TensorFileError if it is damaged, or holds none or more than fits into memory.
 */
export function unzipModel(name: string, bytes: Uint8Array): ModelFile[] {
  let [all, size] = [0, 0];
  const filter = ({ name: path, originalSize }: UnzipFileInfo): boolean => {
    if (path.endsWith('/') || hidden.test(path)) return false;
    all += 1;
    if (!endsWithAny(path, MODEL_ENDINGS)) return false;
    size += originalSize;
    if (size <= mostUnpacked) return true;
    throw new TensorFileError(`${name} holds more than ${mostUnpacked / 2 ** 30} GiB; unpack it and drop the files.`);
  };
  const files = Object.entries(unzipped(name, bytes, filter));
  if (files.length === 0) {
    throw new TensorFileError(
      `${name} holds no model: expected files that end with ${MODEL_ENDINGS.join(', ')}, found ${all} others.`,
    );
  }
  return files.map(([path, content]) => ({
    path,
    zip: name,
    open: () => bytesSource(path, content),
    text: async () => new TextDecoder().decode(content),
  }));
}

function unzipped(name: string, bytes: Uint8Array, filter: (file: UnzipFileInfo) => boolean) {
  try {
    return unzipSync(bytes, { filter });
  } catch (error) {
    if (error instanceof TensorFileError || error instanceof RangeError) throw error;
    throw new TensorFileError(`${name} cannot be unpacked: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** The files that a person gave, those in zips among them. @throws TensorFileError as `unzipModel`. */
export async function givenFiles(files: readonly File[]): Promise<ModelFile[]> {
  const given: ModelFile[] = [];
  for (const file of files) {
    const path = file.webkitRelativePath || file.name;
    if (endsWithAny(path, ['.zip'])) given.push(...unzipModel(path, new Uint8Array(await file.arrayBuffer())));
    else given.push({ path, open: () => fileSource(file, path), text: () => file.text() });
  }
  return given;
}

/** An error of opening files of this size, in words for the person who gave them. */
export function openingError(error: unknown, bytes: number): unknown {
  const size = `${Math.ceil(bytes / 1e6).toLocaleString('en')} MB`;
  if (error instanceof RangeError) {
    return new TensorFileError(
      `The browser has no memory for these files of ${size} (${error.message}). Close other pages; a zip takes less ` +
        'when it is unpacked first and its files are dropped.',
    );
  }
  if (error instanceof GpuError) {
    return new GpuError(`The GPU could not take the model in these files of ${size}: ${error.message}`);
  }
  if (error instanceof DOMException) {
    return new TensorFileError(
      `The files of ${size} cannot be read (${error.name}: ${error.message}). Choose them again.`,
    );
  }
  return error;
}
