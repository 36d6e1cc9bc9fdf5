import { expect, it } from 'vitest';
import { batchNorm } from '../../src/autograd/ops/batchNorm.ts';
import { add, relu } from '../../src/autograd/ops/elementwise.ts';
import { permute } from '../../src/autograd/ops/shape.ts';
import { backward } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { fill } from '../../src/kernels/fill.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { describeKinds } from '../support/kinds.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

const eps = 1e-5;

function untouched(gpu: Gpu, channels: number) {
  return { runningMean: fill(gpu, [channels], 0), runningVar: fill(gpu, [channels], 1) };
}

/** Forward and gradients of one channel in double precision. */
function referenceChannel(x: number[], dy: number[], weight: number, bias: number) {
  const n = x.length;
  const mean = x.reduce((sum, v) => sum + v, 0) / n;
  const squares = x.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  const rstd = 1 / Math.sqrt(squares / n + eps);
  const xhat = x.map((v) => (v - mean) * rstd);
  const sumDy = dy.reduce((sum, v) => sum + v, 0);
  const sumDyXhat = dy.reduce((sum, v, i) => sum + v * xhat[i]!, 0);
  return {
    mean,
    unbiased: squares / (n - 1),
    y: xhat.map((v) => v * weight + bias),
    dx: dy.map((v, i) => weight * rstd * (v - (sumDy + xhat[i]! * sumDyXhat) / n)),
    dWeight: sumDyXhat,
    dBias: sumDy,
  };
}

describeKinds('batchNorm', (gpu) => {
  const sizes = [
    { rows: 2, channels: 1 },
    { rows: 17, channels: 3 },
    { rows: 65, channels: 4 },
    { rows: 1027, channels: 5 },
    { rows: 4099, channels: 8 },
    { rows: 60, channels: 516 },
  ];
  for (const { rows, channels } of sizes) {
    it(`normalises ${rows} rows of ${channels} channels in training, with all gradients`, async () => {
      const values = uniform(rows, rows * channels, -2, 3);
      const upstream = uniform(channels, rows * channels);
      const [weight, bias] = [uniform(1, channels, 0.5, 2), uniform(2, channels)];
      const x = tensor(gpu(), values, [rows, channels], { requiresGrad: true });
      const w = tensor(gpu(), weight, [channels], { requiresGrad: true });
      const b = tensor(gpu(), bias, [channels], { requiresGrad: true });
      const running = untouched(gpu(), channels);
      const y = batchNorm(x, w, b, running, { train: true, eps, momentum: 0.25 });
      backward([y], [NDArray.from(gpu(), upstream, y.shape)]);
      const got = { y: await y.data(), dx: await x.grad!.read(), dw: await w.grad!.read(), db: await b.grad!.read() };
      const [mean, variance] = [await running.runningMean.read(), await running.runningVar.read()];
      for (let c = 0; c < channels; c += Math.ceil(channels / 9)) {
        const column = (data: ArrayLike<number>): number[] =>
          Array.from({ length: rows }, (_, row) => data[row * channels + c]!);
        const expected = referenceChannel(column(values), column(upstream), weight[c]!, bias[c]!);
        expectClose(column(got.y), expected.y, 1e-5, 5e-6);
        expectClose(column(got.dx), expected.dx, 1e-5, 1e-5);
        expectClose(
          [got.dw[c]!, got.db[c]!, mean[c]!, variance[c]!],
          [expected.dWeight, expected.dBias, 0.25 * expected.mean, 0.75 + 0.25 * expected.unbiased],
          1e-5,
          2e-6 * rows ** 0.5,
        );
      }
    });
  }

  it('keeps its digits when the mean is ten thousand times the deviation', async () => {
    const [rows, channels] = [3000, 4];
    // Exact in f32, so that the reference sees the same values.
    const values = uniform(3, rows * channels).map((v) => Math.fround(1000 + Math.round(v * 1024) / 8192));
    const x = tensor(gpu(), values, [rows, channels]);
    const ones = tensor(gpu(), [1, 1, 1, 1], [channels]);
    const zeros = tensor(gpu(), [0, 0, 0, 0], [channels]);
    const running = untouched(gpu(), channels);
    const got = await batchNorm(x, ones, zeros, running, { train: true, eps: 0, momentum: 1 }).data();
    const variance = await running.runningVar.read();
    for (let c = 0; c < channels; c++) {
      const column = Array.from({ length: rows }, (_, row) => values[row * channels + c]!);
      const mean = column.reduce((sum, v) => sum + v, 0) / rows;
      const unbiased = column.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (rows - 1);
      expectClose([variance[c]!], [unbiased], 1e-5, 0);
      const deviation = Math.sqrt((unbiased * (rows - 1)) / rows);
      // The mean itself can only be stored to 3e-5, half a unit in its last place.
      const own = Array.from({ length: rows }, (_, row) => got[row * channels + c]!);
      expectClose(
        own,
        column.map((v) => (v - mean) / deviation),
        1e-5,
        4e-5 / deviation,
      );
    }
  });

  it('uses the running statistics in evaluation and leaves them alone', async () => {
    for (const channels of [3, 8]) {
      const running = {
        runningMean: NDArray.from(gpu(), uniform(4, channels), [channels]),
        runningVar: NDArray.from(gpu(), uniform(5, channels, 0.5, 2), [channels]),
      };
      const before = [await running.runningMean.read(), await running.runningVar.read()] as const;
      const inputs = [randomInput(6, [2, 3, 5, channels]), randomInput(7, [channels]), randomInput(8, [channels])];
      await gradcheck(gpu(), inputs, (x, w, b) => batchNorm(x!, w!, b!, running, { train: false }));
      const [x, w, b] = inputs.map(({ values, shape }) => tensor(gpu(), values, shape));
      const y = await batchNorm(x!, w!, b!, running, { train: false, eps }).data();
      const expected = inputs[0]!.values.map((v, i) => {
        const c = i % channels;
        const rstd = 1 / Math.sqrt(before[1][c]! + eps);
        return (v - before[0][c]!) * rstd * inputs[1]!.values[c]! + inputs[2]!.values[c]!;
      });
      expectClose(y, expected, 1e-5, 2e-6);
      expect(await running.runningMean.read()).toEqual(before[0]);
      expect(await running.runningVar.read()).toEqual(before[1]);
    }
  });

  it('agrees with finite differences on strided inputs', async () => {
    await gradcheck(gpu(), [randomInput(1, [5, 7, 3]), randomInput(2, [5]), randomInput(3, [5])], (x, w, b) =>
      batchNorm(permute(x!, [2, 1, 0]), w!, b!, untouched(gpu(), 5), { train: true }),
    );
  });

  for (const train of [true, false]) {
    it(`fuses a residual and a ReLU in ${train ? 'training' : 'evaluation'}, with the same gradients`, async () => {
      for (const [rows, channels] of [
        [37, 3],
        [600, 8],
      ] as const) {
        for (const withResidual of [true, false]) {
          const dy = NDArray.from(gpu(), uniform(9, rows * channels), [rows, channels]);
          const results = [true, false].map((fused) => {
            const made = [[rows, channels], [channels], [channels], [rows, channels]].map((shape, i) => {
              const { values } = randomInput(i + 1, shape);
              return tensor(gpu(), values, shape, { requiresGrad: true });
            });
            const [x, w, b, r] = made;
            const residual = withResidual ? r : undefined;
            const running = untouched(gpu(), channels);
            const plain = (): Tensor => {
              const y = batchNorm(x!, w!, b!, running, { train });
              return relu(residual ? add(y, residual) : y);
            };
            const y = fused ? batchNorm(x!, w!, b!, running, { train, relu: true, residual }) : plain();
            backward([y], [dy]);
            return [y.array, ...made.flatMap((leaf) => leaf.grad ?? [])];
          });
          const [fused, composed] = await Promise.all(
            results.map((arrays) => Promise.all(arrays.map((a) => a.read()))),
          );
          expect(fused!.length).toBe(withResidual ? 5 : 4);
          expect(composed!.length).toBe(fused!.length);
          for (const [i, values] of fused!.entries()) expectClose(values, composed![i]!, 1e-6, 1e-5);
        }
      }
    });
  }

  it('adds a residual without a ReLU', async () => {
    const inputs = [[4, 6], [6], [6], [4, 6]].map((shape, i) => randomInput(i, shape));
    await gradcheck(gpu(), inputs, (x, w, b, residual) =>
      batchNorm(x!, w!, b!, untouched(gpu(), 6), { train: true, residual }),
    );
  });

  it('gives the same bits every time', async () => {
    const values = uniform(11, 5000 * 3);
    const once = async (): Promise<ArrayLike<number>> => {
      const x = tensor(gpu(), values, [5000, 3], { requiresGrad: true });
      const [w, b] = [tensor(gpu(), [1, 2, 3], [3], { requiresGrad: true }), tensor(gpu(), [0, 1, 2], [3])];
      const y = batchNorm(x, w, b, untouched(gpu(), 3), { train: true });
      backward([y], [NDArray.from(gpu(), values, y.shape)]);
      return [...(await y.data()), ...(await x.grad!.read()), ...(await w.grad!.read())];
    };
    expect(await once()).toEqual(await once());
  });

  it('refuses one value per channel in training, and parameters of another size', () => {
    const x = tensor(gpu(), [1, 2, 3], [1, 3]);
    const p = tensor(gpu(), [1, 1, 1], [3]);
    expect(() => batchNorm(x, p, p, untouched(gpu(), 3), { train: true })).toThrow(/more than one value per channel/);
    expect(() => batchNorm(x, p, p, untouched(gpu(), 2), { train: false })).toThrow(/runningMean has shape \[2\]/);
  });
});
