import { describe, expect, it } from 'vitest';
import { rasterizePolygons } from '../../src/data/polygons.ts';
import { createRandom } from '../../src/data/random.ts';
import { regionToMask } from '../../src/data/region.ts';
import { decodeRle, encodeRle } from '../../src/data/rle.ts';
import type { Mask } from '../../src/data/types.ts';

const rows = ({ width, height, data }: Mask): string[] =>
  Array.from({ length: height }, (_, y) => [...data.subarray(y * width, (y + 1) * width)].join(''));

describe('filled polygons', () => {
  it('mark the pixels whose centre is inside, and no pixel twice along a shared edge', () => {
    const left = [
      [0.5, 0],
      [3.5, 0],
      [3.5, 2],
      [0.5, 2],
    ] as const;
    const right = [
      [3.5, 0],
      [6, 0],
      [6, 2],
      [3.5, 2],
    ] as const;
    const size = { width: 7, height: 3 };
    expect(rows(rasterizePolygons([left], size))).toEqual(['1110000', '1110000', '0000000']);
    expect(rows(rasterizePolygons([right], size))).toEqual(['0001110', '0001110', '0000000']);
  });

  it('have a hole where an outline crosses itself', () => {
    // A pentagram: its middle is encircled twice.
    const star = [0, 2, 4, 1, 3].map((k) => {
      const angle = (2 * Math.PI * k) / 5 - Math.PI / 2;
      return [10 + 9 * Math.cos(angle), 10 + 9 * Math.sin(angle)] as const;
    });
    const { data } = rasterizePolygons([star], { width: 20, height: 20 });
    expect(data[10 * 20 + 10]).toBe(0);
    expect(data[3 * 20 + 10]).toBe(1);
  });

  it('agree with counting crossings at each centre, for random outlines in and beyond the frame', () => {
    const random = createRandom(3);
    for (let round = 0; round < 50; round++) {
      const polygon = Array.from(
        { length: random.int(3, 9) },
        () => [random.uniform(-5, 20), random.uniform(-5, 20)] as const,
      );
      const { data } = rasterizePolygons([polygon], { width: 16, height: 12 });
      for (let i = 0; i < data.length; i++) {
        const [x, y] = [(i % 16) + 0.5, Math.floor(i / 16) + 0.5];
        let inside = 0;
        polygon.forEach(([x1, y1], k) => {
          const [x2, y2] = polygon[(k + 1) % polygon.length]!;
          if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside ^= 1;
        });
        expect(data[i], `round ${round}, pixel ${i}`).toBe(inside);
      }
    }
  });
});

describe('compressed run lengths', () => {
  it('are read as COCO writes them', () => {
    // Runs 1, 2, 3, 6 down the columns of a 3 x 4 image; the fourth is written as its difference to the second, 4.
    const mask = decodeRle('1234', { width: 4, height: 3 });
    expect(rows(mask)).toEqual(['0011', '1011', '1011']);
    // 1,000 is 01000 11111 in groups of five bits, low ones first, with a third for the sign.
    expect(encodeRle({ width: 10, height: 100, data: new Uint8Array(1000) })).toBe('Xo0');
  });

  it('round-trip for masks of any shape', () => {
    const random = createRandom(5);
    for (let round = 0; round < 100; round++) {
      const [width, height] = [random.int(1, 40), random.int(1, 40)];
      const chance = random.uniform();
      const data = Uint8Array.from({ length: width * height }, () => (random.chance(chance) ? 1 : 0));
      const mask = { width, height, data };
      expect(decodeRle(encodeRle(mask), mask)).toEqual(mask);
    }
  });

  it.each([
    ['too few', '5', /found 5/],
    ['too many', 'o0', /found more|ends early|found 31/],
    ['a cut group', 'X', /ends early/],
    ['a wrong character', '1~', /wrong character at 2/],
    ['a negative run', 'O', /negative/],
    ['an endless run', 'ooooooooooo', /too long/],
  ])('that do not fill the frame are refused: %s', (_name, counts, message) => {
    expect(() => decodeRle(counts, { width: 4, height: 3 })).toThrow(message);
  });

  it('of a giant frame are refused before memory is taken', () => {
    expect(() => decodeRle('0', { width: 65536, height: 65536 })).toThrow(/larger than any radiograph/);
  });
});

describe('regionToMask', () => {
  it('scales boxes, outlines and masks to the image, each side by its own factor', () => {
    const image = { width: 4, height: 6 };
    const want = ['0110', '0110', '0110', '0000', '0000', '0000'];
    const frame = { width: 8, height: 8 };
    expect(
      rows(regionToMask({ kind: 'boxes', boxes: [{ x: 2, y: 0, width: 4, height: 4 }], ...frame }, image)),
    ).toEqual(want);
    const polygons: [number, number][][] = [
      [
        [2, 0],
        [6, 0],
        [6, 4],
        [2, 4],
      ],
    ];
    expect(rows(regionToMask({ kind: 'polygons', polygons, ...frame }, image))).toEqual(want);
    const data = Uint8Array.from({ length: 64 }, (_, i) => (i < 32 && i % 8 >= 2 && i % 8 < 6 ? 1 : 0));
    expect(rows(regionToMask({ kind: 'rle', counts: encodeRle({ ...frame, data }), ...frame }, image))).toEqual(want);
  });
});
