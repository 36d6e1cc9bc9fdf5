import { isAnnotationsName, isImageName, isMaskName } from './fileNames.ts';

/** The files of a folder by what they are for. */
export interface FolderFiles {
  readonly images: readonly string[];
  readonly masks: readonly string[];
  /** CSV and JSON files, which may hold phrases and places. */
  readonly tables: readonly string[];
  /** Of no use here. */
  readonly others: readonly string[];
}

/** Sorts the paths of a folder by their names; nothing is opened. Hidden files are left out. */
export function sortFolder(paths: readonly string[]): FolderFiles {
  const sorted = { images: [] as string[], masks: [] as string[], tables: [] as string[], others: [] as string[] };
  for (const path of [...paths].sort()) {
    const names = path.split(/[\\/]/);
    const base = names.at(-1) ?? '';
    if (names.some((name) => /^\.|^__MACOSX$/.test(name)) || /^Thumbs\.db$/i.test(base)) continue;
    if (isMaskName(path)) sorted.masks.push(path);
    else if (isImageName(base)) sorted.images.push(path);
    else if (isAnnotationsName(base)) sorted.tables.push(path);
    else sorted.others.push(path);
  }
  return sorted;
}
