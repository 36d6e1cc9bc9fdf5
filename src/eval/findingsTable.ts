import { stringify } from 'csv-stringify/browser/esm/sync';
import type { Agreement } from './agreement.ts';
import type { FindingOptions, PhraseFinding } from './finding.ts';
import { RESEARCH_NOTICE } from './notice.ts';

/** A phrase in one of many images; without its map, so that many can be held. */
export interface FoundRow extends Pick<PhraseFinding, 'phrase' | 'similarity' | 'presence' | 'box' | 'area'> {
  readonly file: string;
  /** Number of connected regions over the threshold. */
  readonly regions: number;
  /** Words of the phrase that the model cannot read. */
  readonly unknownWords: readonly string[];
  /** With the ground truth, where there is one. */
  readonly agreement: Agreement | undefined;
  readonly picture: string;
}

/** Why an image, or a phrase in it, could not be looked for. */
export interface FailedRow {
  readonly file: string;
  readonly phrase?: string;
  readonly error: string;
}

export type FindingsRow = FoundRow | FailedRow;

const columns = [
  ...['file', 'phrase', 'presence', 'presence_value', 'presence_threshold', 'similarity_max', 'similarity_mean'],
  ...['preset', 'threshold', 'x', 'y', 'width', 'height', 'area', 'regions', 'iou', 'dice', 'pointing'],
  ...['unknown_words', 'picture', 'error', 'notice'],
];

/**
 * CSV with a line per image and phrase: boxes in pixels of the image, area as a share of it; `iou`, `dice` and `pointing`
 * where there is ground truth.
 */
export function findingsTable(
  rows: readonly FindingsRow[],
  { preset, threshold }: Pick<FindingOptions, 'preset' | 'threshold'>,
): string {
  const records = rows.map((row) => {
    const { file, phrase } = row;
    if ('error' in row) return { file, phrase, error: row.error, notice: RESEARCH_NOTICE };
    const { presence, similarity, box, area, regions } = row;
    return {
      ...{ file, phrase, preset, threshold, similarity_max: similarity.max, similarity_mean: similarity.mean },
      presence: presence ? (presence.present ? 'present' : 'absent') : '',
      presence_value: presence?.value,
      presence_threshold: presence?.threshold,
      ...box,
      ...{ area, regions },
      ...row.agreement,
      ...{ unknown_words: row.unknownWords.join(' '), picture: row.picture, notice: RESEARCH_NOTICE },
    };
  });
  return stringify(records, { header: true, columns });
}

/** Name of a picture in a folder `maps`: the image's own, numbered, so that those of equal images are told apart. */
export function pictureName(file: string, imageNumber: number, phraseNumber: number): string {
  const stem = file
    .replace(/^.*[\\/]/, '')
    .replace(/\.[^.]*$/, '')
    .replace(/[^\p{L}\p{N}._-]+/gu, '-');
  return `maps/${String(imageNumber).padStart(4, '0')}-${stem}-${phraseNumber}.png`;
}
