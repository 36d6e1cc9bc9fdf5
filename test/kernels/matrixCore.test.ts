import { describe, expect, it } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { wrapDevice } from '../../src/gpu/wrap.ts';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../src/kernels/conv2d.ts';
import { conv2dGeometry } from '../../src/kernels/convGeometry.ts';
import { matmul } from '../../src/kernels/matmul.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import type { Shape } from '../../src/kernels/shape.ts';
import { numel } from '../../src/kernels/shape.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, uniform } from '../support/numeric.ts';

const gpu = useGpu();

/** Makes arrays of random whole numbers up to two: their products and sums are exact in f16 and f32. */
type Make = (seed: number, shape: Shape, isActivation?: boolean) => NDArray;

function maker(own: Gpu, activations: 'f16' | 'f32'): Make {
  return (seed, shape, isActivation = true) =>
    NDArray.from(own, uniform(seed, numel(shape), -2, 2).map(Math.round), shape, isActivation ? activations : 'f32');
}

/** Compares what `run` gives on emulated tensor cores and on the usual core. */
async function compare(run: (make: Make) => NDArray): Promise<void> {
  const expected = await run(maker(gpu(), 'f32')).read();
  const { device, adapter } = gpu();
  using emulated = wrapDevice(device, { ...adapter, kind: 'hardware', halfMatrices: 'emulated' });
  const used: string[] = [];
  emulated.onDispatch(({ name }) => used.push(name));
  const result = await run(maker(emulated, 'f16')).read();
  expect(used.some((name) => name.includes('matrixEmulated'))).toBe(true);
  expectClose(result, expected, 0, 0);
}

describe('the core for tensor cores, with its matrices emulated', () => {
  for (const [form, a, b] of [
    ['nn', [70, 40], [40, 65]],
    ['nt', [64, 64], [128, 64]],
    ['tn', [36, 68], [36, 72]],
    ['tt', [33, 10], [20, 33]],
  ] as const) {
    it(`multiplies ${form} ${a.join('x')} by ${b.join('x')}`, async (context) => {
      if (!gpu().device.features.has('shader-f16')) return context.skip('This device has no shader-f16.');
      const options = { transposeA: form[0] === 't', transposeB: form[1] === 't', dtype: 'f32' } as const;
      await compare((make) => matmul(make(1, a), make(2, b, false), options));
    });
  }

  // The most general loads; on a CPU each of the three kernels compiles for half a minute and more.
  it('convolves 3x3 with stride, of odd channels, with both gradients', { timeout: 900_000 }, async (context) => {
    if (!gpu().device.features.has('shader-f16')) return context.skip('This device has no shader-f16.');
    const [image, filters]: Shape[] = [
      [2, 7, 6, 3],
      [5, 3, 3, 3],
    ];
    const make = maker(gpu(), 'f32');
    const geometry = conv2dGeometry(make(1, image!), make(2, filters!), { padding: 1, stride: 2 });
    const dy: Shape = [geometry.batch, geometry.outHeight, geometry.outWidth, 5];
    await compare((own) => conv2d(own(1, image!), own(2, filters!, false), undefined, geometry));
    await compare((own) => conv2dInputGrad(own(3, dy), own(2, filters!, false), geometry));
    await compare((own) => conv2dWeightGrad(own(1, image!), own(3, dy), geometry));
  });
});
