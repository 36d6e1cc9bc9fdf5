import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/data/random.ts';
import { similarityMap, squareFrame } from '../../src/eval/localizer.ts';
import { type Grid, gaussianBlur, rescale, resizeBilinear } from '../../src/eval/maps.ts';

const grid = (width: number, height: number, values: ArrayLike<number>): Grid => ({
  width,
  height,
  data: Float32Array.from(values),
});

function randomGrid(width: number, height: number, seed = 1): Grid {
  const random = createRandom(seed);
  return grid(
    width,
    height,
    Array.from({ length: width * height }, () => random.uniform(-1, 1)),
  );
}

function expectClose(got: Float32Array, expected: ArrayLike<number>, tolerance = 1e-6): void {
  expect(got.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < got.length; i++) {
    if (Math.abs(got[i]! - expected[i]!) > Math.abs(got[worst]! - expected[worst]!)) worst = i;
  }
  const message = `worst element ${worst}: got ${got[worst]}, expected ${expected[worst]}`;
  expect(Math.abs(got[worst]! - expected[worst]!), message).toBeLessThanOrEqual(tolerance);
}

describe('gaussianBlur', () => {
  it('spreads an impulse by the normalised window', () => {
    const impulse = grid(5, 1, [0, 0, 1, 0, 0]);
    // sigma 1, radius 1: weights e^-0.5, 1, e^-0.5 over their sum.
    const e = Math.exp(-0.5);
    expectClose(
      gaussianBlur(impulse, 1, 1).data,
      [0, e, 1, e, 0].map((w) => w / (1 + 2 * e)),
    );
  });

  it('reflects at the border with the edge sample repeated', () => {
    // sigma 1, radius 2 on (a b): sample 0 sees (b a | a b | b), as (d c b a | a b c d | d c b a) repeats.
    const [w0, w1, w2] = [1, Math.exp(-0.5), Math.exp(-2)];
    const total = w0! + 2 * w1! + 2 * w2!;
    const first = (w2! * 3 + w1! * 5 + w0! * 5 + w1! * 3 + w2! * 3) / total;
    const second = (w2! * 5 + w1! * 5 + w0! * 3 + w1! * 3 + w2! * 5) / total;
    expectClose(gaussianBlur(grid(2, 1, [5, 3]), 1, 2).data, [first, second]);
    expectClose(gaussianBlur(grid(1, 2, [5, 3]), 1, 2).data, [first, second]);
  });

  it('keeps the sum and constants, and works where the window exceeds the grid', () => {
    const values = randomGrid(3, 4);
    const sum = (g: Grid) => g.data.reduce((a, b) => a + b, 0);
    expect(sum(gaussianBlur(values))).toBeCloseTo(sum(values), 5);
    expectClose(gaussianBlur(grid(1, 1, [0.7])).data, [0.7]);
    expectClose(gaussianBlur(grid(3, 2, Array(6).fill(-0.25))).data, Array(6).fill(-0.25));
  });

  it('has radius 6 at sigma 1.5, as a direct two-dimensional sum shows', () => {
    const source = randomGrid(9, 7);
    const at = (x: number, y: number) => {
      const fold = (i: number, n: number) => {
        let j = i;
        while (j < 0 || j >= n) j = j < 0 ? -1 - j : 2 * n - 1 - j;
        return j;
      };
      return source.data[fold(y, 7) * 9 + fold(x, 9)]!;
    };
    const expected: number[] = [];
    for (let y = 0; y < 7; y++) {
      for (let x = 0; x < 9; x++) {
        let [sum, total] = [0, 0];
        for (let dy = -6; dy <= 6; dy++) {
          for (let dx = -6; dx <= 6; dx++) {
            const weight = Math.exp(-(dx * dx + dy * dy) / (2 * 1.5 * 1.5));
            total += weight;
            sum += weight * at(x + dx, y + dy);
          }
        }
        expected.push(sum / total);
      }
    }
    expectClose(gaussianBlur(source).data, expected);
  });

  it('refuses data that do not fit the size', () => {
    expect(() => gaussianBlur(grid(2, 2, [1, 2, 3]))).toThrow(/2x2 grid needs 4 values.*got 3/);
  });
});

describe('resizeBilinear', () => {
  it('samples at pixel centres and holds the border', () => {
    // 2 -> 4 cells: centres at -0.25, 0.25, 0.75, 1.25 in source cells.
    expectClose(resizeBilinear(grid(2, 1, [0, 1]), { width: 4, height: 1 }).data, [0, 0.25, 0.75, 1]);
    expectClose(resizeBilinear(grid(1, 2, [0, 1]), { width: 1, height: 4 }).data, [0, 0.25, 0.75, 1]);
  });

  it('is the identity at the same size and spreads a single cell', () => {
    const source = randomGrid(3, 5);
    expectClose(resizeBilinear(source, { width: 3, height: 5 }).data, source.data, 0);
    expectClose(resizeBilinear(grid(1, 1, [0.5]), { width: 3, height: 2 }).data, Array(6).fill(0.5), 0);
  });

  it('equals resize to the padded square followed by a crop for images that are not square', () => {
    const source = randomGrid(4, 4);
    const square = resizeBilinear(source, { width: 20, height: 20 });
    const cropped: number[] = [];
    for (let y = 0; y < 20; y++) for (let x = 4; x < 16; x++) cropped.push(square.data[y * 20 + x]!);
    const image = { width: 12, height: 20 };
    expectClose(resizeBilinear(source, image, squareFrame(image)).data, cropped);
  });
});

describe('similarityMap', () => {
  it('puts a cell where the preprocessing took it from, at any mask resolution', () => {
    // 4x4 grid over the 40x40 square around a 20x40 image: columns 1 and 2 lie inside, 10 pixels each.
    const cell = grid(4, 4, [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const argmax = (map: Grid) => {
      const at = map.data.indexOf(Math.max(...map.data));
      return [at % map.width, Math.floor(at / map.width)];
    };
    const image = { width: 21, height: 42 };
    expect(argmax(similarityMap({ grid: cell }, image, image, { sigma: 0 }))).toEqual([15, 15]);
    const half = { width: 10, height: 20 };
    const [x, y] = argmax(similarityMap({ grid: cell }, image, half, { sigma: 0 }));
    expect([x, y]).toEqual([7, 7]);
  });

  it('leaves the margin of a centre crop at the value of the nearest cell', () => {
    const image = { width: 8, height: 8 };
    const frame = squareFrame(image, 0.5);
    expect(frame).toEqual({ x: 2, y: 2, width: 4, height: 4 });
    const map = similarityMap({ grid: grid(4, 1, [1, 2, 3, 4]), frame }, image, image, { sigma: 0 });
    expectClose(map.data.subarray(0, 8), [1, 1, 1, 2, 3, 4, 4, 4]);
  });
});

describe('rescale', () => {
  it('stretches to [-1, 1] or leaves cosines alone', () => {
    const map = grid(3, 1, [0.2, 0.3, 0.6]);
    expectClose(rescale(map, 'paper-minmax').data, [-1, -0.5, 1]);
    expectClose(rescale(map, 'paper-cosine').data, map.data, 0);
  });

  it('keeps a constant map', () => {
    expectClose(rescale(grid(2, 1, [1, 1]), 'paper-minmax').data, [1, 1], 0);
    expectClose(rescale(grid(2, 1, [-7, -7]), 'paper-minmax').data, [-1, -1], 0);
  });
});
