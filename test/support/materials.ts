import { existsSync, readFileSync } from 'node:fs';
import { readSafetensors, type SafetensorsFile } from '../../src/io/safetensors.ts';

/** Folder of the optional reference materials. */
export const materials = process.env.GROUNDRAY_SHARED ?? '../shared';

export function hasMaterials(...paths: readonly string[]): boolean {
  return paths.every((path) => existsSync(`${materials}/${path}`));
}

export function openMaterial(path: string): SafetensorsFile {
  return readSafetensors(new Uint8Array(readFileSync(`${materials}/${path}`)), path);
}
