import { type FolderFiles, sortFolder } from '../../src/data/annotations/folderFiles.ts';
import { DataError } from '../../src/data/errors.ts';
import { isCheckpointPart } from './files.ts';

/** A file with its path from the folder that was dropped or chosen; its name where it came alone. */
export interface DroppedFile {
  readonly path: string;
  readonly file: File;
}

/** What files that came together are for. */
export type Dropped =
  | { readonly kind: 'model'; readonly files: readonly DroppedFile[] }
  /** One image, and the ground truth that came with it. */
  | { readonly kind: 'image'; readonly image: DroppedFile; readonly truth: readonly DroppedFile[] }
  /** Masks and annotations of the opened image. */
  | { readonly kind: 'truth'; readonly files: readonly DroppedFile[] }
  | { readonly kind: 'many'; readonly files: FolderFiles };

/**
 * Says what dropped files are for, by their names and folders alone. Weights make a model, a folder or several images are
 * many images, a CSV, a JSON or a PNG that is called a mask is ground truth of the image that came with it or is open.
 *
 * @param hasImage Whether an image is open.
 * @throws DataError with a sentence where that cannot be said.
 */
export function sortDropped(files: readonly DroppedFile[], hasImage: boolean): Dropped {
  const model = modelAmong(files);
  if (model) return { kind: 'model', files: model };
  const byPath = new Map(files.map((each) => [each.path, each]));
  const at = (paths: readonly string[]): DroppedFile[] => paths.flatMap((path) => byPath.get(path) ?? []);
  const sorted = sortFolder([...byPath.keys()]);
  const { images, masks, tables, others } = sorted;
  if (files.some(({ path }) => path.includes('/'))) {
    if (images.length > 0) return { kind: 'many', files: sorted };
    throw new DataError(
      `${folderOf(files)}: expected PNG, JPEG or DICOM images (or the files of a model), found none among ${files.length} files.`,
    );
  }
  if (images.length > 1) return { kind: 'many', files: sorted };
  const truth = at([...masks, ...tables]);
  const [only] = files;
  // Whatever it is: opening it says what is wrong with it.
  if (only && files.length === 1 && (truth.length === 0 || (masks.length === 1 && !hasImage))) {
    return { kind: 'image', image: only, truth: [] };
  }
  const [unknown] = others;
  if (unknown !== undefined) {
    throw new DataError(
      `${unknown}: expected images, masks, annotations as CSV or JSON, or the files of a model; found another kind.`,
    );
  }
  const [image] = at(images);
  if (image) return { kind: 'image', image, truth };
  if (hasImage && truth.length > 0) return { kind: 'truth', files: truth };
  throw new DataError('Expected an image, found none. Masks and annotations belong to an image that is open.');
}

/** The files of the model among all; undefined where there is none. */
function modelAmong(files: readonly DroppedFile[]): readonly DroppedFile[] | undefined {
  const parts = files.filter(({ file }) => isCheckpointPart(file));
  // JSON may be annotations, and text anything.
  const weights = parts.filter(({ path }) => !/\.(?:json|txt)$/i.test(path));
  const { images, masks } = sortFolder(files.map(({ path }) => path));
  if (weights.length === 0) {
    const isHalf = files.every(({ path }) => /\.txt$|(?:^|\/)config\.json$/i.test(path));
    return isHalf && images.length + masks.length === 0 && parts.length > 0 ? parts : undefined;
  }
  const folders = [...new Set(weights.map(({ path }) => path.replace(/[^/]*$/, '')))];
  if (folders.length > 1) {
    throw new DataError(`Expected one model, found weights in ${folders.length} folders: ${folders.join(', ')}.`);
  }
  const [folder = ''] = folders;
  if (folder === '' && images.length + masks.length > 0) {
    throw new DataError('Expected a model or images, found both. Drop one after the other.');
  }
  return files.filter(({ path }) => path.replace(/[^/]*$/, '') === folder);
}

function folderOf(files: readonly DroppedFile[]): string {
  return files[0]?.path.replace(/\/.*$/, '') ?? 'The folder';
}
