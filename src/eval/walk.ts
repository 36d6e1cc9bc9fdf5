import type { Box, Dataset, GroundedPhrase, Mask, Split } from '../data/types.ts';
import type { LocationPrior } from './baselines.ts';
import { type Localization, type Localizer, similarityMap } from './localizer.ts';
import { checkGrid, type Grid, type Size } from './maps.ts';
import { maskArea, reduceMask } from './masks.ts';

export interface WalkOptions {
  readonly localizer: Localizer;
  readonly dataset: Dataset;
  /** Longest side that a mask is compared at; larger masks are reduced. */
  readonly evaluationSide: number;
  readonly signal?: AbortSignal | undefined;
}

/** One phrase with its ground truth and what the model says about it. */
export interface LocalizedPhrase {
  readonly phrase: GroundedPhrase;
  /** Size of the image that was localized. */
  readonly image: Size;
  readonly mask: Mask;
  /** Marked pixels as a share of all. */
  readonly area: number;
  /** Result for the phrase or one of its further prompts. */
  readonly localization: (prompt: string) => Localization;
}

/** The phrases whose study belongs to a split; throws RangeError for a phrase of a study that does not exist. */
export function phrasesOfSplit(dataset: Dataset, split: Split): GroundedPhrase[] {
  const splitOf = new Map(dataset.studies.map((study) => [study.id, study.split]));
  return dataset.phrases.filter((phrase) => {
    const found = splitOf.get(phrase.studyId);
    if (found === undefined) {
      throw new RangeError(
        `Phrase "${phrase.phrase}" of ${dataset.name} belongs to study ${phrase.studyId}, which the dataset does not list.`,
      );
    }
    return found === split;
  });
}

/**
 * Localizes phrases image by image: an image is loaded and encoded once for all its phrases. Phrases with an empty mask
 * are not localized; the last value of an image reports how many there were.
 *
 * @param prompts Further texts to localize in the image of a phrase (for probes).
 */
export async function* walkPhrases(
  options: WalkOptions,
  phrases: readonly GroundedPhrase[],
  prompts: (phrase: GroundedPhrase) => readonly string[] = () => [],
): AsyncGenerator<{ readonly localized: readonly LocalizedPhrase[]; readonly emptyMasks: number }> {
  const byStudy = new Map<string, GroundedPhrase[]>();
  for (const phrase of phrases) {
    const group = byStudy.get(phrase.studyId);
    if (group) group.push(phrase);
    else byStudy.set(phrase.studyId, [phrase]);
  }
  for (const [studyId, group] of byStudy) {
    options.signal?.throwIfAborted();
    const marked: { phrase: GroundedPhrase; mask: Mask; area: number }[] = [];
    for (const phrase of group) {
      const mask = reduceMask(await phrase.loadMask(), options.evaluationSide);
      const area = maskArea(mask) / (mask.width * mask.height);
      if (area > 0) marked.push({ phrase, mask, area });
    }
    const emptyMasks = group.length - marked.length;
    if (marked.length === 0) {
      yield { localized: [], emptyMasks };
      continue;
    }
    const image = await options.dataset.loadImage(studyId);
    for (const { mask } of marked) checkFieldOfView(image, mask, studyId);
    const texts = [...new Set(marked.flatMap(({ phrase }) => [phrase.phrase, ...prompts(phrase)]))];
    const results = await options.localizer.localize(image, texts);
    options.signal?.throwIfAborted();
    checkResults(results, texts, studyId);
    const resultOf = new Map(texts.map((text, i) => [text, results[i]]));
    const localization = (prompt: string): Localization => {
      const result = resultOf.get(prompt);
      if (!result) throw new RangeError(`"${prompt}" was not localized in study ${studyId}.`);
      return result;
    };
    const size = { width: image.width, height: image.height };
    yield { localized: marked.map((entry) => ({ ...entry, image: size, localization })), emptyMasks };
  }
}

export interface Smoothing {
  readonly sigma?: number;
  readonly radius?: number;
}

/** The model's map of a phrase (or another prompt) in the frame of the mask, not rescaled. */
export function modelMap(item: LocalizedPhrase, smoothing: Smoothing, prompt = item.phrase.phrase): Grid {
  return similarityMap(item.localization(prompt), item.image, item.mask, smoothing);
}

/** A location prior's map in the frame of the mask, brought there like a model's. */
export function priorMap(prior: LocationPrior, item: LocalizedPhrase, smoothing: Smoothing): Grid {
  const frame: Box = { x: 0, y: 0, ...item.image };
  return similarityMap({ grid: prior.mapFor(item.phrase), frame }, item.image, item.mask, smoothing);
}

function checkFieldOfView(image: Size, mask: Size, studyId: string): void {
  // A pixel of rounding per side is allowed for masks that were stored at another resolution.
  const expected = (mask.width * image.height) / image.width;
  if (Math.abs(expected - mask.height) > 1 + expected / Math.min(image.width, image.height)) {
    throw new RangeError(
      `The mask of study ${studyId} is ${mask.width}x${mask.height} but its image ${image.width}x${image.height}: the shapes differ, so they cannot show the same field of view. Bring both to one frame when loading.`,
    );
  }
}

function checkResults(results: readonly Localization[], texts: readonly string[], studyId: string): void {
  if (results.length !== texts.length) {
    throw new RangeError(
      `The localizer returned ${results.length} results for ${texts.length} phrases of study ${studyId}.`,
    );
  }
  for (const [i, { grid }] of results.entries()) {
    checkGrid(grid);
    const bad = grid.data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new RangeError(
        `The similarity of "${texts[i]}" in study ${studyId} is ${grid.data[bad]} at cell ${bad}. Check the model's weights for values that are not finite.`,
      );
    }
  }
}
