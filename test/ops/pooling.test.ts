import { describe, expect, it } from 'vitest';
import type { Pair } from '../../src/autograd/ops/pooling.ts';
import { adaptiveAvgPool2d, avgPool2d, maxPool2d } from '../../src/autograd/ops/pooling.ts';
import { backward } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, uniform } from '../support/numeric.ts';

const gpu = useGpu();

type Image = readonly [batch: number, height: number, width: number, channels: number];
/** Rows or columns `[begin, end)` of window i; they may reach beyond the image. */
type Windows = (i: number) => readonly [begin: number, end: number];

interface Poolings {
  readonly y: Float64Array;
  readonly dx: Float64Array;
}

/** Visits each window and scatters its gradient: the opposite order of the kernels, which gather. */
function reference(
  x: ArrayLike<number>,
  [batch, height, width, channels]: Image,
  [outHeight, outWidth]: readonly [number, number],
  rows: Windows,
  cols: Windows,
  kind: 'max' | 'average' | 'averageWithPadding',
): (dy: ArrayLike<number>) => Poolings {
  return (dy) => {
    const y = new Float64Array(batch * outHeight * outWidth * channels);
    const dx = new Float64Array(x.length);
    for (let o = 0; o < y.length; o++) {
      const [c, ox] = [o % channels, Math.floor(o / channels) % outWidth];
      const oy = Math.floor(o / channels / outWidth) % outHeight;
      const image = Math.floor(o / channels / outWidth / outHeight);
      const [[top, bottom], [left, right]] = [rows(oy), cols(ox)];
      const cells: number[] = [];
      for (let iy = Math.max(top, 0); iy < Math.min(bottom, height); iy++)
        for (let ix = Math.max(left, 0); ix < Math.min(right, width); ix++)
          cells.push(((image * height + iy) * width + ix) * channels + c);
      if (kind === 'max') {
        const best = cells.reduce((a, b) => (x[b]! > x[a]! ? b : a));
        y[o] = x[best]!;
        dx[best]! += dy[o]!;
        continue;
      }
      const area = kind === 'average' ? cells.length : (bottom - top) * (right - left);
      for (const cell of cells) {
        y[o]! += x[cell]! / area;
        dx[cell]! += dy[o]! / area;
      }
    }
    return { y, dx };
  };
}

async function check(
  x: Float32Array,
  shape: Image,
  op: (x: Tensor) => Tensor,
  expected: (dy: ArrayLike<number>) => Poolings,
  tolerance: number,
): Promise<void> {
  const input = tensor(gpu(), x, shape, { requiresGrad: true });
  const output = op(input);
  const dy = uniform(5, output.size);
  backward([output], [NDArray.from(gpu(), dy, output.shape)]);
  const { y, dx } = expected(dy);
  expectClose(await output.data(), y, tolerance, tolerance);
  expectClose(await input.grad!.read(), dx, 2e-6, 2e-6);
}

const strided =
  (kernel: number, stride: number, padding: number): Windows =>
  (i) => [i * stride - padding, i * stride - padding + kernel];
const two = (value: Pair): readonly [number, number] => (typeof value === 'number' ? [value, value] : value);

describe('pooling over windows of a fixed size', () => {
  const cases: { shape: Image; kernel: Pair; stride: Pair; padding: Pair }[] = [
    { shape: [2, 9, 7, 3], kernel: 3, stride: 2, padding: 1 },
    { shape: [1, 8, 8, 4], kernel: 3, stride: 2, padding: 1 },
    { shape: [1, 1, 1, 1], kernel: 3, stride: 2, padding: 1 },
    { shape: [2, 6, 11, 8], kernel: [2, 5], stride: [3, 1], padding: [1, 2] },
    { shape: [1, 10, 5, 2], kernel: 2, stride: 3, padding: 0 },
    { shape: [3, 5, 5, 5], kernel: 5, stride: 1, padding: 2 },
  ];
  for (const { shape, kernel, stride, padding } of cases) {
    it(`pools [${shape}] with kernel ${kernel}, stride ${stride}, padding ${padding}`, async () => {
      const [[ky, kx], [sy, sx], [py, px]] = [two(kernel), two(stride), two(padding)];
      const out = [
        Math.floor((shape[1] + 2 * py - ky) / sy) + 1,
        Math.floor((shape[2] + 2 * px - kx) / sx) + 1,
      ] as const;
      const windows = [strided(ky, sy, py), strided(kx, sx, px)] as const;
      // Few levels, all negative: ties are common and padding must not win.
      const levels = uniform(
        1,
        shape.reduce((a, b) => a * b),
        -9,
        0,
      ).map((v) => Math.floor(v) / 4);
      await check(
        levels,
        shape,
        (x) => maxPool2d(x, { kernel, stride, padding }),
        reference(levels, shape, out, ...windows, 'max'),
        0,
      );
      for (const countIncludePad of [true, false]) {
        const kind = countIncludePad ? 'averageWithPadding' : 'average';
        await check(
          levels,
          shape,
          (x) => avgPool2d(x, { kernel, stride, padding, countIncludePad }),
          reference(levels, shape, out, ...windows, kind),
          1e-6,
        );
      }
    });
  }

  it('takes the kernel for a missing stride', () => {
    expect(maxPool2d(tensor(gpu(), uniform(1, 24), [1, 6, 4, 1]), { kernel: [3, 2] }).shape).toEqual([1, 2, 2, 1]);
  });

  it('refuses windows that do not fit and padding beyond half the kernel', () => {
    const x = tensor(gpu(), uniform(1, 4), [1, 2, 2, 1]);
    expect(() => maxPool2d(x, { kernel: 3 })).toThrow(/has no windows/);
    expect(() => avgPool2d(x, { kernel: 2, padding: 2 })).toThrow(/at most half the kernel/);
  });
});

describe('adaptiveAvgPool2d', () => {
  const cases: { shape: Image; size: readonly [number, number] }[] = [
    { shape: [2, 7, 7, 5], size: [1, 1] },
    { shape: [1, 7, 5, 8], size: [3, 2] },
    { shape: [2, 3, 5, 2], size: [2, 7] },
    { shape: [1, 4, 13, 4], size: [9, 13] },
  ];
  for (const { shape, size } of cases) {
    it(`pools [${shape}] to [${size}]`, async () => {
      const values = uniform(
        2,
        shape.reduce((a, b) => a * b),
      );
      const even =
        (from: number, to: number): Windows =>
        (i) => [Math.floor((i * from) / to), Math.ceil(((i + 1) * from) / to)];
      const windows = [even(shape[1], size[0]), even(shape[2], size[1])] as const;
      await check(
        values,
        shape,
        (x) => adaptiveAvgPool2d(x, size),
        reference(values, shape, size, ...windows, 'average'),
        2e-6,
      );
    });
  }
});
