import { describe, expect, it } from 'vitest';
import {
  type ByteImage,
  cutSquare,
  equalizeHistogram,
  resizePillow,
  roundHalfEven,
  toBytes,
} from '../../src/data/pillow.ts';

const row = (...values: number[]): ByteImage => ({ width: values.length, height: 1, data: Uint8Array.from(values) });
const column = (...values: number[]): ByteImage => ({ ...row(...values), width: 1, height: values.length });
const valuesOf = (image: ByteImage) => [...image.data];

describe('resizePillow', () => {
  it('shrinks with a triangle as wide as two target pixels, as Pillow 12.3 does', () => {
    // Half the size: centre 1, support 2, pixels at -1.5.. of it weigh 3/4, 1/4 and so on over their sum.
    // Pixel 0: (0 + 0.5 - 1) / 2 -> 3/4; pixel 1: 3/4; pixel 2: 1/4. Sum 7/4.
    expect(valuesOf(resizePillow(row(0, 70, 140, 210), 2, 1))).toEqual([
      Math.round((70 * 3 + 140) / 7),
      Math.round((70 + 140 * 3 + 210 * 3) / 7),
    ]);
  });

  it('enlarges between pixel centres and keeps the outermost values', () => {
    expect(valuesOf(resizePillow(row(0, 100), 4, 1))).toEqual([0, 25, 75, 100]);
  });

  it('does the same along columns, and leaves an equal size alone', () => {
    expect(valuesOf(resizePillow(column(0, 100), 1, 4))).toEqual([0, 25, 75, 100]);
    expect(valuesOf(resizePillow(row(3, 9, 1), 3, 1))).toEqual([3, 9, 1]);
  });

  it('rounds to 8 bits after the columns and again after the rows', () => {
    // Columns: 0.5 -> 1 and 0; rows: (1 + 0) / 2 -> 1, where 0.25 in one step would be 0.
    const image = { width: 2, height: 2, data: Uint8Array.from([0, 1, 0, 0]) };
    expect(valuesOf(resizePillow(image, 1, 1))).toEqual([1]);
  });

  it('refuses a size below one pixel', () => {
    expect(() => resizePillow(row(1), 0, 1)).toThrow('got 0x1');
  });
});

describe('equalizeHistogram', () => {
  it('gives values their share of the pixels, cut off to whole numbers', () => {
    // 256 bins from 10 to 20: 10 lies in the first, 15 in the middle of bins 127 and 128, 20 in the last.
    // Shares: up to bin 127 1/4, from bin 128 3/4, the last 1. Value 15 is half-way between 1/4 and 3/4.
    expect(valuesOf(equalizeHistogram(row(10, 15, 15, 20)))).toEqual(
      [Math.floor(255 / 4), Math.floor(255 / 2), Math.floor(255)].flatMap((value, i) =>
        i === 1 ? [value, value] : [value],
      ),
    );
  });

  it('leaves a constant image alone', () => {
    expect(valuesOf(equalizeHistogram(row(7, 7)))).toEqual([7, 7]);
  });
});

describe('cutSquare', () => {
  const image = { width: 3, height: 2, data: Uint8Array.from([1, 2, 3, 4, 5, 6]) };

  it('cuts a part out', () => {
    expect(valuesOf(cutSquare(image, 2, 1, 0))).toEqual([2, 3, 5, 6]);
  });

  it('is 0 beyond the image on every side', () => {
    expect(valuesOf(cutSquare(image, 5, -1, -2))).toEqual([
      ...[0, 0, 0, 0, 0],
      ...[0, 0, 0, 0, 0],
      ...[0, 1, 2, 3, 0],
      ...[0, 4, 5, 6, 0],
      ...[0, 0, 0, 0, 0],
    ]);
  });
});

it('rounds grey values to 8 bits, and halves to even numbers', () => {
  expect(valuesOf(toBytes({ width: 3, height: 1, data: Float32Array.from([0, 0.5, 1]) }))).toEqual([0, 128, 255]);
  expect([0.5, 1.5, 2.5, 2.4].map(roundHalfEven)).toEqual([0, 2, 2, 2]);
  expect(() => toBytes({ width: 2, height: 1, data: new Float32Array(1) })).toThrow('cannot have 1 values');
});
