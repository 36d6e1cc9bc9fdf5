import { type Annotation, samePhrase } from '../../../src/data/annotations/annotation.ts';
import { fileFinder, isAnnotationsName, isNameOf } from '../../../src/data/annotations/fileNames.ts';
import { maskOfImage, maskOfPlaces } from '../../../src/data/annotations/mask.ts';
import { readAnnotations, requireAnnotations } from '../../../src/data/annotations/read.ts';
import { DataError } from '../../../src/data/errors.ts';
import type { Mask } from '../../../src/data/types.ts';
import { decodeImage, imageFormat } from '../../../src/io/image.ts';
import type { TruthFinding } from '../images.ts';
import { pageCodecs } from './openImage.ts';

/** What ground truth is looked for: that of an image of this name and size. */
export interface TruthImage {
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

/**
 * Reads masks and annotations of one image. A mask holds for every phrase, and so does an annotation without one.
 *
 * @throws DataError that names the file, what was expected and what was found.
 */
export async function openTruth(files: readonly File[], image: TruthImage): Promise<TruthFinding[]> {
  const tables = files.filter(({ name }) => isAnnotationsName(name));
  const masks = new Map(files.filter((file) => !tables.includes(file)).map((file) => [file.name, file]));
  const named = new Set<string>();
  const findMask = fileFinder([...masks.keys()]);
  const readNamed = async (name: string, where: string): Promise<Mask> => {
    const found = findMask(name);
    const file = found === undefined ? undefined : masks.get(found);
    if (!file) throw new DataError(`${where}: expected the mask "${name}" beside it, found no such file.`);
    named.add(file.name);
    return readMask(file);
  };
  const findings: TruthFinding[] = [];
  for (const table of tables) {
    const annotations = await annotationsOf(table, image);
    for (const group of groupByPhrase(annotations)) {
      const places = group.flatMap(({ region, where }) => (region ? [{ region, where }] : []));
      const phrase = group[0]?.phrase;
      if (places.length === 0) continue;
      const mask = await maskOfPlaces(places, image, readNamed);
      findings.push({ mask, ...(phrase === undefined ? {} : { phrase }) });
    }
  }
  const places = [...masks.values()]
    .filter(({ name }) => !named.has(name))
    .map(({ name }) => ({ region: { kind: 'file', file: name } as const, where: name }));
  if (places.length > 0) findings.push({ mask: await maskOfPlaces(places, image, readNamed) });
  return findings;
}

/** What a table or JSON holds; undefined where it is of another kind. @throws DataError */
export async function openAnnotations(file: File): Promise<Annotation[] | undefined> {
  return readAnnotations(await file.text(), file.name);
}

/** @param source what messages call the file. */
export async function readMask(file: File, source = file.name): Promise<Mask> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (imageFormat(bytes, source) === 'dicom') {
    throw new DataError(`${source}: expected a mask as PNG or JPEG, found a DICOM file.`);
  }
  return maskOfImage(await decodeImage(bytes, source, pageCodecs));
}

/** Annotations with a place in this image. */
async function annotationsOf(table: File, image: TruthImage): Promise<Annotation[]> {
  const all = requireAnnotations(await table.text(), table.name);
  const own = all.filter((annotation) => isNameOf(annotation.image, image.name));
  if (own.length === 0) {
    const others = [...new Set(all.map((annotation) => annotation.image))];
    const rest = others.length > 3 ? ` and ${others.length - 3} more` : '';
    throw new DataError(
      `${table.name}: expected something of ${image.name}, found only ${others.slice(0, 3).join(', ') || 'an empty list'}${rest}.`,
    );
  }
  if (own.every(({ region }) => region === undefined)) {
    throw new DataError(
      `${table.name}: expected a box or a mask for ${image.name}, found phrases alone. ` +
        'To look for them, drop the table together with its images.',
    );
  }
  return own;
}

function groupByPhrase(annotations: readonly Annotation[]): Annotation[][] {
  const groups: Annotation[][] = [];
  for (const annotation of annotations) {
    const isLike = ([first]: Annotation[]): boolean =>
      first?.phrase === undefined || annotation.phrase === undefined
        ? first?.phrase === annotation.phrase
        : samePhrase(first.phrase, annotation.phrase);
    const group = groups.find(isLike);
    if (group) group.push(annotation);
    else groups.push([annotation]);
  }
  return groups;
}
