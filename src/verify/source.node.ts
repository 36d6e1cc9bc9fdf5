import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FixtureError } from './errors.ts';
import type { FixtureSource } from './format.ts';

/** A fixtures folder on a disk. */
export function folderSource(folder: string): FixtureSource {
  return {
    location: folder,
    async read(file) {
      try {
        return new Uint8Array(await readFile(join(folder, file)));
      } catch (cause) {
        const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
        const reason = missing ? 'there is no such file' : (cause as Error).message;
        throw new FixtureError(`Cannot read ${file} of the fixtures in ${folder}: ${reason}.`);
      }
    },
  };
}
