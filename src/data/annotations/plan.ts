/** What to look for in many images. */
import { DataError } from '../errors.ts';
import { type Annotation, type Place, placesOf, samePhrase } from './annotation.ts';
import { fileFinder, maskedImages } from './fileNames.ts';

export interface PlannedPhrase {
  readonly phrase: string;
  /** Where it is known to be; undefined where nothing is known of that. */
  readonly places: readonly Place[] | undefined;
}

export interface PlannedImage {
  readonly file: string;
  readonly phrases: readonly PlannedPhrase[];
}

export interface LocalizationPlan {
  readonly images: readonly PlannedImage[];
  /** Annotations whose image is not there, or may be one of several. */
  readonly unusable: readonly { readonly where: string; readonly reason: string }[];
  /** Images that no annotation names; they are not looked at. */
  readonly unnamed: readonly string[];
}

export interface PlanInput {
  /** Paths of images. */
  readonly images: readonly string[];
  /** Paths of masks, which belong to the images that their names say. */
  readonly masks?: readonly string[];
  /** Rows of a table; without one every phrase is looked for in every image. */
  readonly annotations?: readonly Annotation[] | undefined;
  /** For images whose annotations have no phrase of their own. */
  readonly phrases: readonly string[];
}

/** Brings images, a table and masks together. Nothing is opened. */
export function planLocalizations({ images, masks = [], annotations, phrases }: PlanInput): LocalizationPlan {
  const find = fileFinder(images);
  const byImage = new Map<string, Annotation[]>(annotations ? [] : images.map((file) => [file, []]));
  const unusable: { where: string; reason: string }[] = [];
  for (const annotation of annotations ?? []) {
    try {
      const file = find(annotation.image);
      if (file === undefined)
        unusable.push({ where: annotation.where, reason: `there is no image ${annotation.image}` });
      else byImage.set(file, [...(byImage.get(file) ?? []), annotation]);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      unusable.push({ where: annotation.where, reason: error.message });
    }
  }
  // A table that has places says all of them; masks beside it are those that it names.
  const hasPlaces = annotations?.some(({ region }) => region !== undefined) ?? false;
  if (!hasPlaces) {
    for (const mask of masks) {
      const file = maskedImages(mask)
        .map((name) => find(name))
        .find((found) => found !== undefined);
      const own = file === undefined ? undefined : byImage.get(file);
      own?.push({ image: mask, region: { kind: 'file', file: mask }, where: mask });
    }
  }
  return {
    images: [...byImage].map(([file, own]) => ({ file, phrases: plannedPhrases(own, phrases) })),
    unusable,
    unnamed: images.filter((file) => !byImage.has(file)),
  };
}

/** The phrases of an image's rows, each once; those that are looked for everywhere where a row has none. */
function plannedPhrases(own: readonly Annotation[], everywhere: readonly string[]): PlannedPhrase[] {
  const named = own.flatMap(({ phrase }) => (phrase === undefined ? [] : [phrase]));
  const all = named.length > 0 ? named : everywhere;
  const different = all.filter((phrase, i) => all.findIndex((other) => samePhrase(other, phrase)) === i);
  return different.map((phrase) => {
    const places = placesOf(own, phrase);
    return { phrase, places: places.length > 0 ? places : undefined };
  });
}
