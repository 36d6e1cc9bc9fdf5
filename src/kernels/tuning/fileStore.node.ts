import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { writeJsonAtomic } from '../../io/atomic.node.ts';
import type { TableStore } from './table.ts';

/** Tables as JSON files in a folder; by default in the user's cache folder. */
export function fileStore(folder = join(envPaths('groundray', { suffix: '' }).cache, 'tuning')): TableStore {
  const pathOf = (name: string): string => join(folder, `${name}.json`);
  return {
    place: folder,
    read: async (name) => {
      const path = pathOf(name);
      return existsSync(path) ? JSON.parse(await readFile(path, 'utf8')) : undefined;
    },
    write: (name, table) => writeJsonAtomic(pathOf(name), table),
  };
}

/** The version of the npm package that runs WebGPU in Node. */
export function nodeRuntime(): string {
  const { version } = createRequire(import.meta.url)('webgpu/package.json') as { version: string };
  return `webgpu ${version}`;
}
