import { describe, expect, it } from 'vitest';
import { resizeBilinear } from '../../src/autograd/ops/resizeBilinear.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, uniform } from '../support/numeric.ts';

const gpu = useGpu();

/** Weights `[out][in]` of a linear resize along one axis. */
function weights(from: number, to: number, alignCorners: boolean): number[][] {
  return Array.from({ length: to }, (_, o) => {
    const position = alignCorners
      ? to > 1
        ? (o * (from - 1)) / (to - 1)
        : 0
      : Math.max(0, ((o + 0.5) * from) / to - 0.5);
    const low = Math.min(Math.floor(position), from - 1);
    const row = new Array<number>(from).fill(0);
    row[low]! += 1 - (position - low);
    row[Math.min(low + 1, from - 1)]! += position - low;
    return row;
  });
}

describe('resizeBilinear', () => {
  const cases = [
    { shape: [1, 2, 3, 1], size: [5, 7] },
    { shape: [2, 7, 7, 4], size: [28, 21] },
    { shape: [1, 9, 8, 3], size: [4, 5] },
    { shape: [1, 13, 17, 8], size: [1, 2] },
    { shape: [2, 1, 1, 2], size: [3, 4] },
    { shape: [1, 5, 6, 1], size: [5, 6] },
    { shape: [1, 3, 40, 4], size: [31, 3] },
  ] as const;
  for (const { shape, size } of cases) {
    for (const alignCorners of [false, true]) {
      it(`goes from [${shape}] to [${size}]${alignCorners ? ' with aligned corners' : ''}`, async () => {
        const [batch, height, width, channels] = shape;
        const values = uniform(1, batch * height * width * channels);
        const x = tensor(gpu(), values, shape, { requiresGrad: true });
        const y = resizeBilinear(x, size, { alignCorners });
        expect(y.shape).toEqual([batch, ...size, channels]);
        const dy = uniform(2, y.size);
        backward([y], [NDArray.from(gpu(), dy, y.shape)]);
        const [rows, cols] = [weights(height, size[0], alignCorners), weights(width, size[1], alignCorners)];
        const expected = new Float64Array(y.size);
        const gradient = new Float64Array(x.size);
        for (let o = 0; o < y.size; o++) {
          const [c, ox] = [o % channels, Math.floor(o / channels) % size[1]];
          const oy = Math.floor(o / channels / size[1]) % size[0];
          const image = Math.floor(o / channels / size[1] / size[0]);
          for (let iy = 0; iy < height; iy++) {
            for (let ix = 0; ix < width; ix++) {
              const share = rows[oy]![iy]! * cols[ox]![ix]!;
              const i = ((image * height + iy) * width + ix) * channels + c;
              expected[o]! += share * values[i]!;
              gradient[i]! += share * dy[o]!;
            }
          }
        }
        expectClose(await y.data(), expected, 1e-6, 1e-6);
        expectClose(await x.grad!.read(), gradient, 2e-6, 4e-6);
      });
    }
  }

  it('refuses empty sizes and other ranks', () => {
    expect(() => resizeBilinear(tensor(gpu(), [1], [1, 1, 1, 1]), [0, 2])).toThrow(/cannot go from/);
    expect(() => resizeBilinear(tensor(gpu(), [1], [1, 1, 1]), [2, 2])).toThrow(/expected \[batch/);
  });
});
