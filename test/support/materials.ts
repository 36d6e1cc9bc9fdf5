import { existsSync, readFileSync } from 'node:fs';
import { readSafetensors } from '../../src/io/safetensors.ts';
import type { TensorFile } from '../../src/io/tensorFile.ts';

/** Folder of the optional reference materials. */
export const materials = process.env.GROUNDRAY_SHARED ?? '../shared';

export function hasMaterials(...paths: readonly string[]): boolean {
  return paths.every((path) => existsSync(`${materials}/${path}`));
}

export function openMaterial(path: string): TensorFile {
  return readSafetensors(new Uint8Array(readFileSync(`${materials}/${path}`)), path);
}
