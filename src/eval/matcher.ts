import type { GrayImage } from '../data/types.ts';

/** How alike an image and a text are, without saying where. */
export interface Match {
  /** Cosine of the features of the whole image and the whole text. */
  readonly global: number;
  /**
   * What the local contrast compares: each sentence attends to the regions, its cosines with what it attended to are
   * pooled. NaN for a model that has no local features.
   */
  readonly local: number;
}

/** `phrase`: one sentence, encoded alone. `report`: sections and sentences are found first. */
export type TextKind = 'phrase' | 'report';

/** What classification and retrieval need to know of a model. */
export interface Matcher {
  /** Matches of one image with every text, in their order. The same list of texts is encoded once. */
  match(image: GrayImage, texts: readonly string[], kind: TextKind): Promise<readonly Match[]>;
}

/** Mean and standard deviation that a similarity is brought to 0 and 1 with. */
export interface Scale {
  readonly mean: number;
  readonly deviation: number;
}

/** Mean and population standard deviation of the finite values; undefined when there is none. */
export function scaleOf(values: Iterable<number>): Scale | undefined {
  const kept = [...values].filter(Number.isFinite);
  if (kept.length === 0) return undefined;
  const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
  const variance = kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / kept.length;
  return { mean, deviation: Math.sqrt(variance) };
}

/** `(value - mean) / deviation`; 0 where all values were equal. */
export function standardise(value: number, { mean, deviation }: Scale): number {
  return deviation > 0 ? (value - mean) / deviation : 0;
}

/** Mean of the standardised global and local similarity; the global one alone where there is no local one. */
export function combine(match: Match, global: Scale, local: Scale | undefined): number {
  const whole = standardise(match.global, global);
  return local && Number.isFinite(match.local) ? (whole + standardise(match.local, local)) / 2 : whole;
}
