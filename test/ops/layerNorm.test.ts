import { expect, it } from 'vitest';
import { layerNorm } from '../../src/autograd/ops/layerNorm.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { describeKinds } from '../support/kinds.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

function reference(x: ArrayLike<number>, dy: ArrayLike<number>, weight: ArrayLike<number>, eps: number) {
  const width = weight.length;
  const y = new Float64Array(x.length);
  const dx = new Float64Array(x.length);
  const dWeight = new Float64Array(width);
  const columns = [...new Array(width).keys()];
  const average = (value: (i: number) => number): number => columns.reduce((sum, i) => sum + value(i), 0) / width;
  for (let first = 0; first < x.length; first += width) {
    const mean = average((i) => x[first + i]!);
    const rstd = 1 / Math.sqrt(average((i) => (x[first + i]! - mean) ** 2) + eps);
    const xhat = columns.map((i) => (x[first + i]! - mean) * rstd);
    const g = columns.map((i) => dy[first + i]! * weight[i]!);
    const [offset, slope] = [average((i) => g[i]!), average((i) => g[i]! * xhat[i]!)];
    for (const i of columns) {
      y[first + i] = xhat[i]! * weight[i]!;
      dx[first + i] = rstd * (g[i]! - offset - xhat[i]! * slope);
      dWeight[i]! += dy[first + i]! * xhat[i]!;
    }
  }
  return { y, dx, dWeight };
}

describeKinds('layerNorm', (gpu) => {
  for (const [rows, width] of [
    [3, 2],
    [5, 33],
    [64, 64],
    [65, 12],
    [3, 769],
    [2, 2052],
    [700, 4],
  ] as const) {
    it(`normalises ${rows} rows of ${width}, with all gradients`, async () => {
      const values = uniform(rows, rows * width, 4, 6);
      const upstream = uniform(width, rows * width);
      const weight = uniform(3, width, 0.5, 1.5);
      const x = tensor(gpu(), values, [rows, width], { requiresGrad: true });
      const w = tensor(gpu(), weight, [width], { requiresGrad: true });
      const b = tensor(gpu(), new Float32Array(width), [width], { requiresGrad: true });
      const y = layerNorm(x, w, b, 1e-5);
      backward([y], [NDArray.from(gpu(), upstream, y.shape)]);
      const expected = reference(values, upstream, weight, 1e-5);
      expectClose(await y.data(), expected.y, 1e-5, 2e-5);
      expectClose(await x.grad!.read(), expected.dx, 1e-5, 5e-5);
      expectClose(await w.grad!.read(), expected.dWeight, 1e-5, 1e-5 * rows ** 0.5);
      const sums = Float64Array.from({ length: width }, (_, i) =>
        upstream.reduce((sum, v, j) => (j % width === i ? sum + v : sum), 0),
      );
      expectClose(await b.grad!.read(), sums, 1e-5, 1e-6 * rows ** 0.5);
    });
  }

  it('gives the bias for rows without deviation', async () => {
    const y = layerNorm(
      tensor(gpu(), [7, 7, 7], [1, 3]),
      tensor(gpu(), [1, 2, 3], [3]),
      tensor(gpu(), [4, 5, 6], [3]),
      1e-12,
    );
    expectClose(await y.data(), [4, 5, 6], 0, 0);
  });

  it('agrees with finite differences', async () => {
    await gradcheck(gpu(), [randomInput(1, [2, 3, 9]), randomInput(2, [9]), randomInput(3, [9])], (x, w, b) =>
      layerNorm(x!, w!, b!, 1e-5),
    );
  });

  it('refuses parameters of another width', () => {
    const three = tensor(gpu(), [1, 1, 1], [3]);
    const two = tensor(gpu(), [1, 1], [2]);
    expect(() => layerNorm(tensor(gpu(), [1, 2, 3], [1, 3]), three, two, 1e-5)).toThrow(/bias has shape \[2\]/);
  });
});
