/** COCO's compressed run lengths: runs of 0 and 1 in turn, down the columns, as text of 6 bits a character. */
import { DataError } from './errors.ts';
import type { Mask } from './types.ts';

/** A size that is only read from a file must not decide alone how much memory is taken. */
const MAX_PIXELS = 2 ** 27;

/**
 * Each run is written in groups of 5 bits, low ones first, as characters from "0" on; bit 5 says that more follow, bit 4
 * of the last group is the sign. From the fourth run on, what is written is the difference to the run before the last.
 * Throws DataError for other characters, a negative run, and runs that do not fill the frame exactly.
 */
export function decodeRle(counts: string, { width, height }: { width: number; height: number }): Mask {
  const total = width * height;
  if (total > MAX_PIXELS) throw new DataError(`A run-length mask of ${width}x${height} is larger than any radiograph.`);
  const data = new Uint8Array(total);
  const fail = (found: string): never => {
    throw new DataError(`A run-length mask of ${width}x${height}: expected runs that fill ${total} pixels, ${found}.`);
  };
  let [before, last] = [0, 0];
  let place = 0;
  let runs = 0;
  for (let i = 0; i < counts.length; ) {
    let run = 0;
    for (let shift = 0, more = true; more; shift += 5) {
      const bits = counts.charCodeAt(i++) - 48;
      if (!(bits >= 0 && bits < 64))
        fail(i > counts.length ? 'found one that ends early' : `found a wrong character at ${i}`);
      // A run has at most 32 bits, seven groups.
      if (shift > 30) fail('found one that is too long');
      more = (bits & 0x20) !== 0;
      run += (bits & 0x1f) * 2 ** shift;
      if (!more && (bits & 0x10) !== 0) run -= 2 ** (shift + 5);
    }
    if (runs > 2) run += before;
    if (run < 0 || place + run > total) fail(`found ${run < 0 ? 'a negative one' : 'more'}`);
    if (runs % 2 === 1) {
      for (let k = place; k < place + run; k++) data[(k % height) * width + Math.floor(k / height)] = 1;
    }
    place += run;
    [before, last] = [last, run];
    runs++;
  }
  if (place !== total) fail(`found ${place}`);
  return { width, height, data };
}

/** The inverse of `decodeRle`, for generated data. */
export function encodeRle({ width, height, data }: Mask): string {
  const runs: number[] = [];
  let value = 0;
  let run = 0;
  for (let k = 0; k < width * height; k++) {
    const bit = data[(k % height) * width + Math.floor(k / height)] ? 1 : 0;
    if (bit !== value) {
      runs.push(run);
      [run, value] = [0, bit];
    }
    run++;
  }
  runs.push(run);
  return runs
    .map((length, i) => {
      let rest = i > 2 ? length - (runs[i - 2] ?? 0) : length;
      let text = '';
      for (let more = true; more; ) {
        const bits = rest & 0x1f;
        rest >>= 5;
        more = (bits & 0x10) !== 0 ? rest !== -1 : rest !== 0;
        text += String.fromCharCode((more ? bits | 0x20 : bits) + 48);
      }
      return text;
    })
    .join('');
}
