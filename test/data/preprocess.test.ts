import { describe, expect, it } from 'vitest';
import { augment, RADIOGRAPH_AUGMENTATION } from '../../src/data/augment.ts';
import { mapToSource, maskToFrame, preprocess, resizeArea } from '../../src/data/preprocess.ts';
import { createRandom } from '../../src/data/random.ts';
import { boxesToMask, maskToBox, uniteMasks } from '../../src/data/regions.ts';
import type { GrayImage } from '../../src/data/types.ts';

const image = (width: number, height: number, value: (x: number, y: number) => number): GrayImage => ({
  width,
  height,
  data: Float32Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width))),
});
const mean = (values: Float32Array) => values.reduce((a, b) => a + b, 0) / values.length;

describe('resizeArea', () => {
  it('averages the source area of each target pixel, also for broken ratios', () => {
    expect([
      ...resizeArea(
        image(4, 2, (x, y) => x + 4 * y),
        2,
        1,
      ).data,
    ]).toEqual([2.5, 4.5]);
    const thirds = resizeArea(
      image(3, 1, (x) => [0, 3, 6][x]!),
      2,
      1,
    );
    expect(thirds.data[0]).toBeCloseTo((0 + 3 * 0.5) / 1.5, 6);
    expect(thirds.data[1]).toBeCloseTo((3 * 0.5 + 6) / 1.5, 6);
  });

  it('keeps the mean of the image when it shrinks it', () => {
    const random = createRandom(1);
    const noise = image(37, 29, () => random.uniform());
    expect(mean(resizeArea(noise, 11, 7).data)).toBeCloseTo(mean(noise.data), 5);
  });

  it('enlarges between pixel centres', () => {
    const wide = resizeArea(
      image(2, 1, (x) => x),
      4,
      1,
    );
    expect([...wide.data]).toEqual([0, 0.25, 0.75, 1]);
  });
});

describe('preprocess', () => {
  it('scales the longest side, pads with zero and centres', () => {
    const { image: frame, geometry } = preprocess(
      image(8, 4, () => 1),
      4,
    );
    expect([...frame.data]).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]);
    expect(geometry).toEqual({ sourceWidth: 8, sourceHeight: 4, size: 4, scale: 0.5, offsetX: 0, offsetY: 1 });
  });

  it('cuts out the centre where the resized image is larger than the frame', () => {
    const { image: frame } = preprocess(
      image(6, 6, (x, y) => x + 10 * y),
      2,
      6,
    );
    expect([...frame.data]).toEqual([22, 23, 32, 33]);
  });

  it('refuses empty images and sizes', () => {
    expect(() =>
      preprocess(
        image(0, 4, () => 0),
        4,
      ),
    ).toThrow(/0x4/);
    expect(() =>
      preprocess(
        image(4, 4, () => 0),
        0,
      ),
    ).toThrow(/size 0/);
  });

  it.each([
    [100, 60, 64, 64],
    [50, 90, 64, 72],
    [64, 64, 64, 64],
  ])('maps masks into the frame and maps back to the source: %ix%i', (width, height, size, resize) => {
    // A bright square: the frame's image and the frame's mask must agree, and so must the way back.
    const inside = (x: number, y: number) => (x >= 20 && x < 40 && y >= 15 && y < 45 ? 1 : 0);
    const source = image(width, height, inside);
    const mask = { width, height, data: Uint8Array.from(source.data) };
    const { image: frame, geometry } = preprocess(source, size, resize);
    const framed = maskToFrame(mask, geometry);
    const disagreeing = frame.data.filter((value, i) => Math.abs(value - framed.data[i]!) > 0.75).length;
    expect(disagreeing).toBe(0);
    const back = mapToSource(frame.data, geometry);
    expect([back.width, back.height]).toEqual([width, height]);
    const missed = back.data.filter((value, i) => value > 0.5 !== (mask.data[i] === 1)).length;
    // At most one pixel along the square's outline of 100 pixels.
    expect(missed).toBeLessThanOrEqual(100);
    expect(back.data[30 * width + 30]).toBeCloseTo(1, 6);
  });

  it('refuses masks and maps of another frame', () => {
    const { geometry } = preprocess(
      image(8, 4, () => 1),
      4,
    );
    expect(() => maskToFrame({ width: 4, height: 8, data: new Uint8Array(32) }, geometry)).toThrow(
      /4x8, its image 8x4/,
    );
    expect(() => mapToSource(new Float32Array(9), geometry)).toThrow(/9 values, its frame of 4x4 needs 16/);
  });
});

describe('augment', () => {
  const still = { resizeRatio: 1, rotation: 0, shift: 0, brightness: 0, contrast: 0 };
  const gradient = image(16, 16, (x, y) => (x + 2 * y) / 50);

  it('changes nothing when every range is zero', () => {
    expect(augment(gradient, 16, createRandom(1), still).data).toEqual(gradient.data);
  });

  it('never mirrors: the brighter side stays the brighter side, whatever the seed', () => {
    const sides = image(64, 64, (x) => (x < 32 ? 0.2 : 0.8));
    for (let seed = 0; seed < 60; seed++) {
      const { data } = augment(sides, 56, createRandom(seed), RADIOGRAPH_AUGMENTATION);
      const half = (right: boolean) => mean(data.filter((_, i) => i % 56 >= 28 === right));
      expect(half(true)).toBeGreaterThan(half(false) + 0.2);
    }
  });

  it('crops different places, keeps [0, 1], and repeats for a seed', () => {
    const run = (seed: number) =>
      augment(gradient, 14, createRandom(seed), { ...RADIOGRAPH_AUGMENTATION, shift: 0.1 }).data;
    expect(run(3)).toEqual(run(3));
    expect(run(3)).not.toEqual(run(4));
    const cropped = new Set(
      Array.from({ length: 20 }, (_, seed) => augment(gradient, 8, createRandom(seed), still).data[0]!.toFixed(4)),
    );
    expect(cropped.size).toBeGreaterThan(15);
    expect(run(5).every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  it('turns about the centre', () => {
    const dot = image(33, 33, (x, y) => (x === 16 && y === 16 ? 1 : 0));
    for (let seed = 0; seed < 10; seed++) {
      const { data } = augment(dot, 33, createRandom(seed), { ...still, rotation: 30 });
      expect(data[16 * 33 + 16]).toBeCloseTo(1, 6);
    }
  });
});

describe('regions', () => {
  it('unite boxes with floored edges inside the image, and find the box of a mask', () => {
    const mask = boxesToMask(
      [
        { x: 1.9, y: 0.2, width: 2.2, height: 1.9 },
        { x: -3, y: 2, width: 4, height: 9 },
      ],
      { width: 5, height: 4 },
    );
    expect([...mask.data]).toEqual([0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    expect(maskToBox(mask)).toEqual({ x: 0, y: 0, width: 4, height: 4 });
    expect(maskToBox({ width: 2, height: 1, data: new Uint8Array(2) })).toBeUndefined();
  });

  it('refuse masks of different sizes', () => {
    const mask = (width: number) => ({ width, height: 1, data: new Uint8Array(width) });
    expect(() => uniteMasks([mask(2), mask(3)])).toThrow(/2x1 and 3x1/);
    expect(() => uniteMasks([])).toThrow(/at least one/);
  });
});
