/** Finding the files of a corpus below its folder. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../errors.ts';

/** Extensions that images of a corpus have: the published one first. */
const EXTENSIONS = ['.jpg', '.png', '.dcm', '.jpeg'];

/** Throws DataError unless `path` is a folder. */
export function checkFolder(path: string, what: string): void {
  if (existsSync(path) && statSync(path).isDirectory()) return;
  throw new DataError(`${path}: expected the folder of ${what}, found ${existsSync(path) ? 'a file' : 'nothing'}.`);
}

/** The first of some files or folders that is there; undefined where none is. */
export function findFirst(folder: string, names: readonly string[]): string | undefined {
  return names.map((name) => join(folder, name)).find((path) => existsSync(path));
}

/** The first file in the folder whose name fits, in alphabetical order; compressed and plain files alike. */
export function findMatching(folder: string, pattern: RegExp): string | undefined {
  const name = readdirSync(folder)
    .sort()
    .find((entry) => pattern.test(entry));
  return name === undefined ? undefined : join(folder, name);
}

/** As `findMatching`. Throws DataError that says what was expected. */
export function requireMatching(folder: string, pattern: RegExp, expected: string): string {
  const found = findMatching(folder, pattern);
  if (found === undefined) throw new DataError(`${folder}: expected ${expected}, found no such file.`);
  return found;
}

export interface ImageFinder {
  /** Path of the image below the folder; undefined where it is not there. */
  readonly find: (path: string) => string | undefined;
  /** Where the image should be, in the form of those found before; nothing is looked up. */
  readonly guess: (path: string) => string;
  /** Whether any image was found so far. */
  readonly any: () => boolean;
}

/**
 * Says where the images of a corpus really lie. Copies of a corpus differ in a leading folder (`files/`), in
 * sub-folders and in the format; the form that the first image has is tried first for the next.
 */
export function createImageFinder(
  folder: string,
  { prefixes = [''] }: { prefixes?: readonly string[] } = {},
): ImageFinder {
  const forms = prefixes.flatMap((prefix) => ['', ...EXTENSIONS].map((extension) => ({ prefix, extension })));
  let known: (typeof forms)[number] | undefined;
  const apply = (path: string, { prefix, extension }: { prefix: string; extension: string }): string => {
    const bare = path.replace(/^(?:\.?\/)*(?:files\/)?/, '');
    return `${prefix}${extension === '' ? bare : `${bare.replace(/\.(?:jpe?g|png|dcm)$/i, '')}${extension}`}`;
  };
  const find = (path: string): string | undefined => {
    for (const form of known ? [known, ...forms] : forms) {
      const relative = apply(path, form);
      if (!existsSync(join(folder, relative))) continue;
      known ??= form;
      return relative;
    }
    return undefined;
  };
  return { find, guess: (path) => (known ? apply(path, known) : path), any: () => known !== undefined };
}

/** Largest JSON or XML file that is read in one piece. */
const MAX_BYTES = 2 ** 28;

/** A text file. Throws DataError when it cannot be read or is too large to be what it should be. */
export function readTextFile(path: string): string {
  try {
    if (statSync(path).size > MAX_BYTES) throw new DataError(`${path}: expected less than 256 MiB, found more.`);
    return readFileSync(path, 'utf8').replace(/^\ufeff/, '');
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${path} cannot be read (${error instanceof Error ? error.message : error}).`);
  }
}

/** The content of a JSON file. Throws DataError when it is none. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readTextFile(path));
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${path}: expected JSON (${error instanceof Error ? error.message : error}).`);
  }
}
