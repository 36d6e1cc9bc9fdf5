import { maskOfPlaces } from '../data/annotations/mask.ts';
import type { PlannedImage, PlannedPhrase } from '../data/annotations/plan.ts';
import { wordsOf } from '../data/text/phraseWords.ts';
import type { GrayImage, Mask } from '../data/types.ts';
import { agreementWith } from './agreement.ts';
import { describeFinding, type FindingOptions, type PhraseFinding } from './finding.ts';
import { type FailedRow, type FoundRow, pictureName } from './findingsTable.ts';
import type { Localization } from './localizer.ts';

/** Where files come from, and what looks into them. */
export interface ImageSource {
  /** @throws an error that says what is wrong with the file. */
  loadImage(file: string): Promise<GrayImage>;
  /** `where`: what names the mask. @throws as `loadImage`. */
  loadMask(file: string, where: string): Promise<Mask>;
  /** Words of a phrase that the model cannot read. */
  unreadableWords(phrase: string): readonly string[];
  localize(image: GrayImage, phrases: readonly string[]): Promise<readonly Localization[]>;
}

/** A row, and what its picture is drawn from. */
export type LocalizedRow =
  | { readonly row: FailedRow }
  | {
      readonly row: FoundRow;
      readonly finding: PhraseFinding;
      readonly image: GrayImage;
      readonly mask: Mask | undefined;
    };

/**
 * Looks for the phrases of one of many images, which is loaded and encoded once. What cannot be used is a row with a
 * sentence.
 *
 * @param number Of the image among all, from 1 on; the names of pictures have it.
 */
export async function localizeImage(
  { file, phrases }: PlannedImage,
  number: number,
  source: ImageSource,
  options: FindingOptions,
): Promise<LocalizedRow[]> {
  const rows: LocalizedRow[] = [];
  const fail = (error: unknown, phrase?: string): void => {
    const message = error instanceof Error ? error.message : String(error);
    rows.push({ row: { file, ...(phrase === undefined ? {} : { phrase }), error: message } });
  };
  const readable: PlannedPhrase[] = [];
  for (const planned of phrases) {
    if (wordsOf(planned.phrase).length > 0) readable.push(planned);
    else fail(`The phrase "${planned.phrase}" has no word to look for.`, planned.phrase);
  }
  try {
    const image = await source.loadImage(file);
    const found = await source.localize(
      image,
      readable.map(({ phrase }) => phrase),
    );
    for (const [k, { phrase, places }] of readable.entries()) {
      const localization = found[k];
      if (!localization) throw new Error(`The localizer gave no result for "${phrase}".`);
      try {
        const mask = places && (await maskOfPlaces(places, image, source.loadMask));
        const finding = describeFinding(phrase, localization, image, options);
        const agreement = mask && agreementWith(mask, localization, image, options);
        const picture = pictureName(file, number, k + 1);
        const { similarity, presence, box, area, regions } = finding;
        const figures = { phrase, similarity, presence, box, area, regions: regions.length };
        const unknownWords = source.unreadableWords(phrase);
        rows.push({ row: { file, ...figures, unknownWords, agreement, picture }, finding, image, mask });
      } catch (error) {
        fail(error, phrase);
      }
    }
  } catch (error) {
    fail(error);
  }
  return rows;
}
