import type { Random } from '../../src/data/random.ts';

/** What breaks readers: delimiters, huge numbers, control characters, halves of characters, prototype names. */
const PIECES = [
  ',',
  '"',
  '"""',
  '\n',
  '\r\n',
  '\0',
  '\ufeff',
  '\t',
  ';',
  ':',
  '_____',
  '<',
  '>',
  '</',
  '&amp;',
  '&#0;',
  '&#x110000;',
  '<![CDATA[',
  '<!--',
  '<!DOCTYPE a [<!ENTITY b "bbbb">]>',
  '{',
  '}',
  '[',
  ']',
  'null',
  'true',
  '-1',
  '0',
  '1e309',
  '1e9',
  '-0.0',
  '99999999999999999999',
  'NaN',
  '65536',
  '__proto__',
  'constructor',
  '../',
  '/',
  '%',
  '\ud800',
  'é',
  '____',
  '~',
  'o',
  'IMPRESSION:',
  'FINDINGS:',
  '1.',
  '2.',
  ' ',
].map((text) => Buffer.from(text));

/** A damaged copy: one to four spans are removed, repeated, moved, overwritten or cut off. A pure function of the stream. */
export function mutateText(bytes: Uint8Array, random: Random): Buffer {
  let data = Buffer.from(bytes);
  for (let n = random.int(1, 5); n > 0; n--) {
    const at = random.int(0, data.length + 1);
    const end = Math.min(data.length, at + (random.chance(0.8) ? random.int(1, 12) : random.int(1, 1 + data.length)));
    const [head, span, tail] = [data.subarray(0, at), data.subarray(at, end), data.subarray(end)];
    switch (random.int(0, 7)) {
      case 0:
        data = Buffer.concat([head, tail]);
        break;
      case 1:
        data = Buffer.concat([head, span, span, tail]);
        break;
      case 2:
        data = Buffer.concat([head, random.pick(PIECES), span, tail]);
        break;
      case 3:
        data = Buffer.concat([head, random.pick(PIECES), tail]);
        break;
      case 4:
        data = Buffer.concat([span, head, tail]);
        break;
      case 5:
        data = Buffer.concat([head, Buffer.from([random.int(0, 256)]), data.subarray(at + 1)]);
        break;
      default:
        if (random.chance(0.3)) data = Buffer.from(head);
        else data = Buffer.concat([head, ...Array<Buffer>(random.int(1, 50)).fill(span), tail]);
    }
    // Repeating must not grow a case without bound.
    if (data.length > 200_000) data = data.subarray(0, 200_000);
  }
  return data;
}
