/** What names say: of which image a table speaks, of which a mask is, and what a file is for. */
import { DataError } from '../errors.ts';

const endings = /\.(?:png|jpe?g|dcm|dicom)$/i;

const baseOf = (path: string): string => path.replace(/^.*[\\/]/, '');

/** File name without folder and ending, which is the image's id in most corpora. */
export function imageId(path: string): string {
  let id = baseOf(path);
  // Open-i's copy on Kaggle has names such as `1_IM-0001-4001.dcm.png`.
  while (endings.test(id)) id = id.replace(endings, '');
  return id;
}

/** Whether a table that says `name` means this image. */
export function isNameOf(name: string, path: string): boolean {
  return imageId(name).toLowerCase() === imageId(path).toLowerCase();
}

/**
 * Looks among the files for the one that a table means; undefined where it is not there. Of equal names the one whose
 * folders fit counts.
 *
 * @returns A function that throws DataError where two files fit equally well.
 */
export function fileFinder(paths: readonly string[]): (name: string) => string | undefined {
  const byId = new Map<string, string[]>();
  for (const path of paths) {
    const id = imageId(path).toLowerCase();
    byId.set(id, [...(byId.get(id) ?? []), path]);
  }
  return (name) => {
    const candidates = byId.get(imageId(name).toLowerCase()) ?? [];
    const [first, ...others] = candidates;
    if (first === undefined || others.length === 0) return first;
    const fits = candidates.map((path) => closeness(path, name));
    const best = Math.max(...fits);
    const [one, two] = candidates.filter((_, i) => fits[i] === best);
    if (two === undefined) return one;
    throw new DataError(`"${name}" may be ${one} or ${two}: expected a path that tells them apart.`);
  };
}

/** How well two paths fit whose ids are equal: the folders at their ends count, then the ending. */
function closeness(a: string, b: string): number {
  const [left, right] = [a, b].map((path) => path.toLowerCase().split(/[\\/]/).reverse()) as [string[], string[]];
  const folders = left.slice(1).findIndex((name, i) => name !== right[i + 1]);
  return 2 * (folders < 0 ? left.length - 1 : folders) + (left[0] === right[0] ? 1 : 0);
}

/** Whether a file is a mask, by its name or by the folder that it lies in. */
export function isMaskName(path: string): boolean {
  return /\.png$/i.test(path) && path.split(/[\\/]/).some((name) => /(?:^|[^a-z])masks?(?:[^a-z]|$)/i.test(name));
}

/** What a mask's name may call its image: `chest_mask.png` is of `chest`, `chest__effusion.png` too. */
export function maskedImages(path: string): string[] {
  const id = imageId(path);
  const bare = id.replace(/[-_. ]*masks?$/i, '').replace(/^masks?[-_. ]*/i, '');
  return [...new Set([id, bare, bare.replace(/(?:__|--).*$/, '')])].filter((name) => name !== '');
}

/** Whether a file can hold annotations. */
export function isAnnotationsName(path: string): boolean {
  return /\.(?:csv|json)$/i.test(path);
}

/** Whether a file of a folder is an image. Exports of DICOM have files without an ending, named by number or UID. */
export function isImageName(path: string): boolean {
  const base = baseOf(path);
  return endings.test(base) || (/^(?:[\d.]+|[^.]+)$/.test(base) && !/^(?:DICOMDIR|LICEN[CS]E|README)$/i.test(base));
}
