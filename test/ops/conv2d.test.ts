import { describe, expect, it } from 'vitest';
import { conv2d } from '../../src/autograd/ops/conv2d.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { type Conv2dGeometry, conv2dGeometry } from '../../src/kernels/convGeometry.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, uniform } from '../support/numeric.ts';

const gpu = useGpu();

/** Visits every product of the convolution with the flat indices of x, w and y. */
function forEachProduct(g: Conv2dGeometry, visit: (x: number, w: number, y: number) => void): void {
  for (let n = 0; n < g.batch; n++)
    for (let oh = 0; oh < g.outHeight; oh++)
      for (let ow = 0; ow < g.outWidth; ow++)
        for (let o = 0; o < g.outChannels * g.groups; o++)
          for (let kh = 0; kh < g.kernelHeight; kh++)
            for (let kw = 0; kw < g.kernelWidth; kw++) {
              const h = oh * g.strideHeight - g.padHeight + kh * g.dilationHeight;
              const w = ow * g.strideWidth - g.padWidth + kw * g.dilationWidth;
              if (h < 0 || w < 0 || h >= g.height || w >= g.width) continue;
              const group = Math.floor(o / g.outChannels);
              for (let c = 0; c < g.inChannels; c++)
                visit(
                  ((n * g.height + h) * g.width + w) * g.inChannels * g.groups + group * g.inChannels + c,
                  ((o * g.kernelHeight + kh) * g.kernelWidth + kw) * g.inChannels + c,
                  ((n * g.outHeight + oh) * g.outWidth + ow) * g.outChannels * g.groups + o,
                );
            }
}

describe('conv2d', () => {
  const cases = [
    { name: '1x1 as a matrix product', x: [2, 5, 3, 8], w: [12, 1, 1, 8], options: {} },
    { name: '1x1 with stride 2', x: [2, 5, 6, 8], w: [4, 1, 1, 8], options: { stride: 2 } },
    { name: '3x3 with padding, aligned channels', x: [2, 9, 7, 8], w: [20, 3, 3, 8], options: { padding: 1 } },
    { name: '3x3 with stride 2', x: [1, 8, 9, 4], w: [8, 3, 3, 4], options: { stride: 2, padding: 1 } },
    { name: '7x7 stem of a grey image', x: [1, 17, 18, 1], w: [5, 7, 7, 1], options: { stride: 2, padding: 3 } },
    { name: 'three channels, stride 3', x: [2, 10, 11, 3], w: [6, 2, 3, 3], options: { stride: 3 as const } },
    {
      name: 'dilation and unequal strides',
      x: [1, 11, 12, 4],
      w: [4, 3, 2, 4],
      options: { stride: [2, 1], dilation: [2, 3], padding: [1, 2] },
    },
    {
      name: 'dilation that shares a factor with the stride',
      x: [1, 13, 13, 4],
      w: [4, 3, 3, 4],
      options: { stride: 2, dilation: 2, padding: 2 },
    },
    { name: 'groups', x: [2, 5, 5, 12], w: [8, 3, 3, 3], options: { groups: 4, padding: 1 } },
    { name: 'depthwise', x: [1, 6, 5, 5], w: [5, 3, 3, 1], options: { groups: 5, padding: 1 } },
    { name: 'a stride larger than the kernel', x: [1, 7, 7, 4], w: [4, 1, 1, 4], options: { stride: 3 } },
    {
      name: 'three channels that become four',
      x: [2, 97, 98, 3],
      w: [48, 7, 7, 3],
      options: { stride: 2, padding: 3 },
      // Sums of 4,802 products with a deviation of 23, in one chain on the tiled core; a missing product would be 0.3.
      weightTolerance: 2e-4,
    },
    { name: 'many pixels for a split weight gradient', x: [3, 40, 41, 4], w: [4, 3, 3, 4], options: { padding: 1 } },
  ] as const;
  for (const item of cases) {
    const { name, x: xShape, w: wShape, options } = item;
    const weightTolerance = 'weightTolerance' in item ? item.weightTolerance : 5e-5;
    it(`agrees with the definition, forward and backward: ${name}`, async () => {
      const size = (shape: readonly number[]): number => shape.reduce((p, s) => p * s, 1);
      const xs = uniform(1, size(xShape));
      const ws = uniform(2, size(wShape));
      const bs = uniform(3, wShape[0]);
      const x = tensor(gpu(), xs, xShape, { requiresGrad: true });
      const w = tensor(gpu(), ws, wShape, { requiresGrad: true });
      const b = tensor(gpu(), bs, [wShape[0]], { requiresGrad: true });
      const y = conv2d(x, w, b, options);
      const dys = uniform(4, y.size);
      backward([y], [NDArray.from(gpu(), dys, y.shape)]);
      const g = conv2dGeometry(x.array, w.array, options);
      const expected = Float64Array.from({ length: y.size }, (_, i) => bs[i % wShape[0]]!);
      const [dx, dw, db] = [new Float64Array(x.size), new Float64Array(w.size), new Float64Array(b.size)];
      forEachProduct(g, (i, j, k) => {
        expected[k]! += xs[i]! * ws[j]!;
        dx[i]! += dys[k]! * ws[j]!;
        dw[j]! += dys[k]! * xs[i]!;
      });
      dys.forEach((value, i) => {
        db[i % wShape[0]]! += value;
      });
      expectClose(await y.data(), expected, 1e-5, 2e-5);
      expectClose(await x.grad!.read(), dx, 1e-5, 2e-5);
      expectClose(await w.grad!.read(), dw, 1e-5, weightTolerance);
      expectClose(await b.grad!.read(), db, 1e-5, 5e-5);
    });
  }

  it('refuses channels that do not fit the weight', () => {
    const x = tensor(gpu(), new Float32Array(12), [1, 2, 2, 3]);
    expect(() => conv2d(x, tensor(gpu(), new Float32Array(8), [2, 1, 1, 4]))).toThrow(/conv2d/);
  });
});
