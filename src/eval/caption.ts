/** A caption in pixels: no canvas and no font file are needed, so a picture is the same in Node and in a browser. */
export interface TextLine {
  readonly text: string;
  readonly color: readonly [number, number, number];
}

const GLYPH_WIDTH = 5;
const GLYPH_HEIGHT = 7;
const ADVANCE = GLYPH_WIDTH + 1;
const LINE_HEIGHT = GLYPH_HEIGHT + 4;

// Seven rows of five pixels a glyph, each row a base-32 digit whose highest bit is the leftmost pixel.
const GLYPHS: Readonly<Record<string, string>> = Object.fromEntries(
  `A ehhvhhh B uhhuhhu C ehggghe D uhhhhhu E vgguggv F vgguggg G ehgnhhe H hhhvhhh I e44444e J 72222ic K hikokih
   L ggggggv M hrllhhh N hhpljhh O ehhhhhe P uhhuggg Q ehhhlid R uhhukih S fgge11u T v444444 U hhhhhhe V hhhhha4
   W hhhllla X hha4ahh Y hhha444 Z v1248gv
   a 00e1fhf b ggmphhu c 00egghe d 11djhhf e 00ehvge f 698s888 g 0fhhf1e h ggmphhh i 40c444e j 20622ic k ggikoki
   l c44444e m 00qllhh n 00mphhh o 00ehhhe p 00uhugg q 00djf11 r 00mpggg s 00ege1u t 88s8896 u 00hhhjd v 00hhha4
   w 00hhlla x 00ha4ah y 00hhf1e z 00v248v
   0 ehjlphe 1 4c4444e 2 eh1248v 3 v2421he 4 26aiv22 5 vgu11he 6 68guhhe 7 v124888 8 ehhehhe 9 ehhf12c
   . 00000cc , 0000c48 - 000v000 : 0cc0cc0 ; 0cc0c48 / 01248g0 ( 2488842 ) 8422248 ' c480000 " aaa0000 % op248j3
   + 044v440 = 00v0v00 > 8421248 < 248g842 ? eh12404 ! 4444404 & cik8lid _ 000000v [ e88888e ] e22222e # aavavaa`
    .trim()
    .split(/\s+/)
    .reduce<[string, string][]>((pairs, token, i, all) => {
      if (i % 2 === 0) pairs.push([token, all[i + 1] ?? '']);
      return pairs;
    }, []),
);

const UNKNOWN = 'vhhhhhv';

/** The text without accents and typographic characters, which have no glyph. */
function plainText(text: string): string {
  const replaced = text.replace(/[\u2010-\u2015\u2212]/g, '-').replace(/[\u2018\u2019]/g, "'");
  return replaced
    .replace(/[\u201c-\u201e]/g, '"')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '');
}

/** Breaks a text at spaces so that no line is wider than `width` pixels; longer words are cut. */
export function wrapText(text: string, width: number, scale: number): string[] {
  const limit = Math.max(1, Math.floor(width / (ADVANCE * scale)));
  const lines: string[] = [];
  let line = '';
  for (const word of plainText(text)
    .split(/\s+/)
    .filter((part) => part !== '')) {
    let rest = word;
    while (rest.length > limit) {
      if (line !== '') lines.push(line);
      line = '';
      lines.push(rest.slice(0, limit));
      rest = rest.slice(limit);
    }
    const joined = line === '' ? rest : `${line} ${rest}`;
    if (joined.length > limit) {
      lines.push(line);
      line = rest;
    } else line = joined;
  }
  if (line !== '') lines.push(line);
  return lines;
}

/** Height in pixels of a caption of so many lines, with its margins. */
export function captionHeight(lines: number, scale: number): number {
  return lines === 0 ? 0 : (lines * LINE_HEIGHT + 4) * scale;
}

/**
 * Writes lines into RGBA pixels from row `top` on. Accents are dropped; other characters without a glyph become a box.
 *
 * @param image `[height, width, 4]`, changed in place.
 */
export function drawText(
  image: { readonly width: number; readonly height: number; readonly data: Uint8ClampedArray },
  lines: readonly TextLine[],
  top: number,
  scale: number,
): void {
  lines.forEach(({ text, color }, row) => {
    const y0 = top + (row * LINE_HEIGHT + 4) * scale;
    [...plainText(text)].forEach((character, column) => {
      const x0 = (column * ADVANCE + 2) * scale;
      const rows = character === ' ' ? '' : (GLYPHS[character] ?? UNKNOWN);
      for (let y = 0; y < rows.length * scale; y++) {
        const bits = Number.parseInt(rows.charAt(Math.floor(y / scale)), 32);
        for (let x = 0; x < GLYPH_WIDTH * scale; x++) {
          const lit = (bits >> (GLYPH_WIDTH - 1 - Math.floor(x / scale))) & 1;
          if (lit === 0 || x0 + x >= image.width || y0 + y >= image.height) continue;
          image.data.set([...color, 255], 4 * ((y0 + y) * image.width + x0 + x));
        }
      }
    });
  });
}
