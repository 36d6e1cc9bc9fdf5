import { isMaskName } from './imageNames.ts';
import { isAnnotationsName } from './read.ts';

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

/** Exports of DICOM have files without an ending, named by number or UID. */
function isImageName(base: string): boolean {
  return (
    /\.(?:png|jpe?g|dcm|dicom)$/i.test(base) ||
    (/^[\d.]+$|^[^.]+$/.test(base) && !/^(?:DICOMDIR|LICEN[CS]E|README)$/i.test(base))
  );
}
