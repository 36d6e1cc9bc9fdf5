import { stringify } from 'csv-stringify/browser/esm/sync';
import { type Zippable, zipSync } from 'fflate';
import type { PhraseFinding } from '../../src/eval/finding.ts';
import type { Size } from '../../src/eval/maps.ts';
import { RESEARCH_NOTICE } from '../../src/eval/notice.ts';
import { scaleBox } from './picture.ts';

/** A phrase in an image of a batch; or why the image could not be opened. */
export type BatchRow =
  | { readonly file: string; readonly image: Size; readonly finding: PhraseFinding; readonly picture: string }
  | { readonly file: string; readonly error: string };

const columns = [
  ...['file', 'phrase', 'presence', 'presence_value', 'presence_threshold', 'similarity_max', 'similarity_mean'],
  ...['x', 'y', 'width', 'height', 'area', 'regions', 'picture', 'error', 'notice'],
];

/** CSV with a line per image and phrase; boxes in pixels of the image, area as a share of it. */
export function batchTable(rows: readonly BatchRow[]): string {
  const records = rows.map((row) => {
    if ('error' in row) return { file: row.file, error: row.error, notice: RESEARCH_NOTICE };
    const { file, image, finding, picture } = row;
    const { phrase, presence, similarity, box, map, area, regions } = finding;
    return {
      ...{ file, phrase, similarity_max: similarity.max, similarity_mean: similarity.mean },
      presence: presence ? (presence.present ? 'present' : 'absent') : '',
      presence_value: presence?.value,
      presence_threshold: presence?.threshold,
      ...(box ? scaleBox(box, map, image) : {}),
      ...{ area, regions: regions.length, picture, notice: RESEARCH_NOTICE },
    };
  });
  return stringify(records, { header: true, columns });
}

/** A zip of files by name. */
export function zipFiles(files: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const entries: Zippable = {};
  // PNG files are compressed already.
  for (const [name, bytes] of files) entries[name] = [bytes, { level: name.endsWith('.png') ? 0 : 6 }];
  return zipSync(entries) as Uint8Array<ArrayBuffer>;
}

/** Names of pictures: the image's own, numbered by phrase; those of equal images are told apart. */
export function pictureName(file: string, imageNumber: number, phraseNumber: number): string {
  const stem = file.replace(/\.[^.]*$/, '').replace(/[^\p{L}\p{N}._-]+/gu, '-');
  return `maps/${String(imageNumber).padStart(4, '0')}-${stem}-${phraseNumber}.png`;
}
