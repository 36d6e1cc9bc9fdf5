import type { Region } from '../region.ts';

/** What somebody says of an image: what to look for in it, where something is, or both. */
export interface Annotation {
  /** A path, a file name, or a file name without its ending (an id). */
  readonly image: string;
  /** Absent: whatever is looked for. */
  readonly phrase?: string;
  /** Absent: the place is not known. Boxes without a box: there is nothing in the image. */
  readonly region?: Region;
  /** For messages, e.g. `boxes.csv row 3`. */
  readonly where: string;
}

/** A place that an annotation names. */
export type Place = Required<Pick<Annotation, 'region' | 'where'>>;

/** The places of a phrase: those annotated with it, and those that hold for whatever is looked for. */
export function placesOf(annotations: readonly Annotation[], phrase: string): Place[] {
  return annotations.flatMap(({ phrase: own, region, where }) =>
    region && (own === undefined || samePhrase(own, phrase)) ? [{ region, where }] : [],
  );
}

/** Whether two phrases differ in case, spaces and a full stop at most. */
export function samePhrase(a: string, b: string): boolean {
  const plain = (phrase: string) => phrase.trim().replace(/\.$/, '').replace(/\s+/g, ' ').toLowerCase();
  return plain(a) === plain(b);
}
