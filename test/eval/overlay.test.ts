import { describe, expect, it } from 'vitest';
import { captionHeight, drawText, wrapText } from '../../src/eval/caption.ts';
import type { Grid } from '../../src/eval/maps.ts';
import { COLOR_SCALES, type ColorScale, renderOverlay } from '../../src/eval/overlay.ts';
import { contourRings, localizationBox, maskRings, regionsAbove } from '../../src/eval/regions.ts';

const grid = (width: number, height: number, values: ArrayLike<number>): Grid => ({
  width,
  height,
  data: Float32Array.from(values),
});

describe('the colours of heat maps', () => {
  const image = { width: 2, height: 1, data: new Float32Array(2) };
  const ends = (colors: ColorScale) => {
    const { data } = renderOverlay(image, { map: grid(2, 1, [0, 1]), colors, opacity: 1, longestSide: 2 });
    return [...data.slice(4, 7)];
  };

  it('end in the yellow of their scale', () => {
    // The last entries of matplotlib's tables.
    const last = { inferno: [252, 255, 164], viridis: [253, 231, 37], cividis: [253, 234, 69] } as const;
    for (const scale of COLOR_SCALES) {
      const drawn = ends(scale);
      last[scale].forEach((value, i) => {
        expect(Math.abs(drawn[i]! - value)).toBeLessThanOrEqual(6);
      });
    }
    expect(ends('viridis')).not.toEqual(ends('cividis'));
  });
});

describe('regionsAbove', () => {
  // Two regions; the pixels 0 and 5 touch at a corner.
  const map = grid(4, 3, [0.6, 0, 0, 0.9, 0, 0.7, 0, 0.5, 0, 0, 0, 0.5]);

  it('finds connected regions with their boxes, the highest peak first', () => {
    expect(regionsAbove(map, 0.5)).toEqual([
      { box: { x: 3, y: 0, width: 1, height: 1 }, area: 1, peak: Math.fround(0.9) },
      { box: { x: 0, y: 0, width: 2, height: 2 }, area: 2, peak: Math.fround(0.7) },
    ]);
    expect(regionsAbove(map, 0.4).map((region) => region.area)).toEqual([3, 2]);
  });

  it('puts one box around all of it, and none around nothing', () => {
    expect(localizationBox(map, 0.5)).toEqual({ x: 0, y: 0, width: 4, height: 2 });
    expect(localizationBox(map, 0.9)).toBeUndefined();
    expect(localizationBox(grid(1, 1, [1]), 0)).toEqual({ x: 0, y: 0, width: 1, height: 1 });
  });
});

describe('contourRings', () => {
  it('interpolates the level between pixel centres', () => {
    // Columns 0 1 0: the level .5 is crossed half-way between the centres, at x = 1 and x = 2.
    const [ring] = contourRings(grid(3, 4, [0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0]), 0.5);
    const middle = ring!.filter(([, y]) => y > 0.5 && y < 3.5).map(([x]) => x);
    expect(new Set(middle)).toEqual(new Set([1, 2]));
  });

  it('outlines each part of a mask', () => {
    const mask = { width: 5, height: 3, data: Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0) };
    expect(maskRings(mask)).toHaveLength(2);
    expect(maskRings({ ...mask, data: new Uint8Array(15) })).toEqual([]);
  });
});

describe('renderOverlay', () => {
  const image = { width: 4, height: 2, data: Float32Array.of(0, 0.2, 0.4, 0.6, 0.8, 1, 0.5, 0.1) };
  const pixel = (picture: { width: number; data: Uint8ClampedArray }, x: number, y: number) => [
    ...picture.data.subarray(4 * (y * picture.width + x), 4 * (y * picture.width + x) + 4),
  ];

  it('shows the plain image when there is nothing to lay over it', () => {
    const picture = renderOverlay(image, { longestSide: 4 });
    expect([picture.width, picture.height]).toEqual([4, 2]);
    expect(pixel(picture, 3, 0)).toEqual([153, 153, 153, 255]);
    expect(pixel(picture, 1, 1)).toEqual([255, 255, 255, 255]);
  });

  it('keeps the shape of images that are not square', () => {
    const picture = renderOverlay(image);
    expect([picture.width, picture.height]).toEqual([384, 192]);
    const tall = renderOverlay({ width: 500, height: 1000, data: new Float32Array(500_000) });
    expect([tall.width, tall.height]).toEqual([500, 1000]);
  });

  it('colours where the map is high and leaves the image where it is low', () => {
    const dark = { width: 2, height: 1, data: Float32Array.of(0.5, 0.5) };
    const picture = renderOverlay(dark, { map: grid(2, 1, [-1, 1]), longestSide: 20 });
    expect(pixel(picture, 0, 5)).toEqual([128, 128, 128, 255]);
    const [red, , blue] = pixel(picture, 19, 5);
    expect(red! - blue!).toBeGreaterThan(50);
  });

  it('draws the contour of the prediction and the outline of the ground truth where they run', () => {
    const black = { width: 40, height: 40, data: new Float32Array(1600) };
    const map = grid(
      40,
      40,
      Array.from({ length: 1600 }, (_, i) => (i % 40 < 20 ? 0 : 1)),
    );
    const contour = renderOverlay(black, { map, opacity: 0, contours: [0.5], longestSide: 40 });
    const bright = (x: number, picture = contour) => Math.max(...pixel(picture, x, 20).slice(0, 3));
    expect(bright(20)).toBeGreaterThan(150);
    expect(bright(10)).toBe(0);
    expect(bright(30)).toBe(0);
    const mask = { width: 4, height: 4, data: Uint8Array.from({ length: 16 }, (_, i) => (i % 4 < 1 ? 1 : 0)) };
    const outline = renderOverlay(black, { mask, longestSide: 40 });
    const column = Array.from({ length: 40 }, (_, y) => pixel(outline, 10, y)[1]!);
    expect(Math.max(...column)).toBeGreaterThan(150);
    expect(column.filter((green) => green < 20).length).toBeGreaterThan(0); // dashed
  });

  it('adds the caption with the research notice under the picture', () => {
    const plain = renderOverlay(image);
    const captioned = renderOverlay(image, { caption: 'left pleural effusion' });
    expect(captioned.height).toBe(plain.height + captionHeight(2, 1));
    expect(captioned.data.subarray(0, plain.data.length)).toEqual(plain.data);
    const amber = captioned.data.subarray(plain.data.length).filter((v, i, all) => i % 4 === 0 && v > all[i + 2]!);
    expect(amber.length).toBeGreaterThan(100);
  });

  it('survives one pixel, a constant map and a contour that nothing reaches', () => {
    const one = { width: 1, height: 1, data: Float32Array.of(0.5) };
    const picture = renderOverlay(one, { map: grid(1, 1, [3]), contours: [9], longestSide: 3, caption: '' });
    expect(pixel(picture, 1, 1)).toEqual([128, 128, 128, 255]);
  });
});

describe('caption', () => {
  it('breaks at spaces and cuts words that are too long', () => {
    expect(wrapText('aa bb  cc', 5 * 6, 1)).toEqual(['aa bb', 'cc']);
    expect(wrapText('x abcdefg', 3 * 6, 1)).toEqual(['x', 'abc', 'def', 'g']);
    expect(wrapText('', 100, 1)).toEqual([]);
    expect(wrapText('a\u2013b', 100, 1)).toEqual(['a-b']);
  });

  it('draws accented letters as plain ones, unknown ones as a box, and stays inside the picture', () => {
    const render = (text: string) => {
      const image = { width: 14, height: 11, data: new Uint8ClampedArray(14 * 11 * 4) };
      drawText(image, [{ text, color: [255, 255, 255] }], 0, 1);
      return image.data;
    };
    expect(render('é')).toEqual(render('e'));
    expect(render('漢')).not.toEqual(render(' '));
    expect(render('abcdef')).toEqual(render('abc'.slice(0, 3)));
  });
});
