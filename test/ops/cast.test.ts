import { describe, expect, it } from 'vitest';
import { attention } from '../../src/autograd/ops/attention.ts';
import { batchNorm } from '../../src/autograd/ops/batchNorm.ts';
import { conv2d } from '../../src/autograd/ops/conv2d.ts';
import { dropout } from '../../src/autograd/ops/dropout.ts';
import { add, gelu, mul } from '../../src/autograd/ops/elementwise.ts';
import { layerNorm } from '../../src/autograd/ops/layerNorm.ts';
import { linear, matmul } from '../../src/autograd/ops/matmul.ts';
import { maxPool2d } from '../../src/autograd/ops/pooling.ts';
import { mean } from '../../src/autograd/ops/reductions.ts';
import { permute, reshape } from '../../src/autograd/ops/shape.ts';
import { backward } from '../../src/autograd/tape.ts';
import { Tensor, tensor } from '../../src/autograd/tensor.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { cast as castArray } from '../../src/kernels/cast.ts';
import { crossEntropy } from '../../src/kernels/crossEntropy.ts';
import { fill } from '../../src/kernels/fill.ts';
import { l2Normalize } from '../../src/kernels/l2Normalize.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import type { Shape } from '../../src/kernels/shape.ts';
import { numel } from '../../src/kernels/shape.ts';
import { describeKinds } from '../support/kinds.ts';
import { expectClose, uniform } from '../support/numeric.ts';

interface HalfCase {
  readonly name: string;
  /** Shapes of the arguments that are f16, and of those that stay f32 (parameters). */
  readonly activations: readonly Shape[];
  readonly parameters?: readonly Shape[];
  readonly run: (activations: readonly Tensor[], parameters: readonly Tensor[], gpu: Gpu) => Tensor;
  /** Leave the variants for hardware to other cases: on a CPU tiles of matrix products compile for minutes. */
  readonly softwareOnly?: boolean;
}

const mask = (gpu: Gpu): Tensor => new Tensor(NDArray.from(gpu, [1, 1, 1, 1, 0, 1, 1, 1, 0, 0], [2, 5], 'i32'));

const cases: readonly HalfCase[] = [
  {
    name: 'conv2d 3x3',
    activations: [[2, 9, 7, 8]],
    parameters: [[12, 3, 3, 8]],
    run: ([x], [w]) => conv2d(x!, w!, undefined, { padding: 1 }),
  },
  {
    name: 'conv2d 3x3 of odd channels, with stride and bias',
    softwareOnly: true,
    activations: [[1, 8, 9, 3]],
    parameters: [[5, 3, 3, 3], [5]],
    run: ([x], [w, bias]) => conv2d(x!, w!, bias, { padding: 1, stride: 2 }),
  },
  {
    name: 'conv2d 1x1',
    softwareOnly: true,
    activations: [[2, 5, 5, 16]],
    parameters: [[8, 1, 1, 16]],
    run: ([x], [w]) => conv2d(x!, w!),
  },
  {
    name: 'linear with bias',
    activations: [[3, 7, 20]],
    parameters: [[12, 20], [12]],
    run: ([x], [w, bias]) => linear(x!, w!, bias),
  },
  {
    name: 'linear with a split inner dimension and bias',
    softwareOnly: true,
    activations: [[2, 2048]],
    parameters: [[8, 2048], [8]],
    run: ([x], [w, bias]) => linear(x!, w!, bias),
  },
  {
    name: 'matmul',
    activations: [
      [2, 5, 9],
      [2, 9, 3],
    ],
    run: ([a, b]) => matmul(a!, b!),
  },
  {
    name: 'batchNorm with residual and relu',
    activations: [
      [2, 5, 5, 8],
      [2, 5, 5, 8],
    ],
    parameters: [[8], [8]],
    run: ([x, residual], [weight, bias], gpu) => {
      const running = { runningMean: fill(gpu, [8], 0), runningVar: fill(gpu, [8], 1) };
      return batchNorm(x!, weight!, bias!, running, { train: true, relu: true, residual });
    },
  },
  {
    name: 'batchNorm of 5 channels with relu',
    activations: [[3, 4, 3, 5]],
    parameters: [[5], [5]],
    run: ([x], [weight, bias], gpu) => {
      const running = { runningMean: fill(gpu, [5], 0), runningVar: fill(gpu, [5], 1) };
      return batchNorm(x!, weight!, bias!, running, { train: true, relu: true });
    },
  },
  {
    name: 'layerNorm',
    activations: [[6, 33]],
    parameters: [[33], [33]],
    run: ([x], [weight, bias]) => layerNorm(x!, weight!, bias!, 1e-5),
  },
  { name: 'gelu', activations: [[7, 9]], run: ([x]) => gelu(x!) },
  {
    name: 'add, broadcast',
    activations: [
      [4, 6, 8],
      [6, 8],
    ],
    run: ([a, b]) => add(a!, b!),
  },
  {
    name: 'mul by one value per row',
    activations: [
      [6, 8],
      [6, 1],
    ],
    run: ([a, b]) => mul(a!, b!),
  },
  { name: 'dropout', activations: [[9, 11]], run: ([x]) => dropout(x!, { p: 0.4, seed: 3 }) },
  { name: 'maxPool2d', activations: [[1, 9, 8, 6]], run: ([x]) => maxPool2d(x!, { kernel: 3, stride: 2, padding: 1 }) },
  { name: 'permute', activations: [[3, 5, 7]], run: ([x]) => reshape(permute(x!, [2, 0, 1]), [7, 15]) },
  { name: 'mean', activations: [[4, 5, 6]], run: ([x]) => mean(x!, [0, 1]) },
  ...(['fused', 'unfused'] as const).map((form) => ({
    name: `attention, ${form}`,
    activations: [
      [2, 3, 5, 12],
      [2, 3, 5, 12],
      [2, 3, 5, 12],
    ],
    run: ([q, k, v]: readonly Tensor[], _: readonly Tensor[], gpu: Gpu) => attention(q!, k!, v!, mask(gpu), { form }),
  })),
];

/** Result, gradients of activations and of parameters, with activations in f32 or f16 but the same values in both. */
async function evaluate(gpu: Gpu, { activations, parameters = [], run }: HalfCase, half: boolean) {
  const inputs = activations.map((shape, i) => {
    const rounded = castArray(castArray(NDArray.from(gpu, uniform(i + 1, numel(shape)), shape), 'f16'), 'f32');
    return new Tensor(half ? castArray(rounded, 'f16') : rounded, { requiresGrad: true });
  });
  const weights = parameters.map((shape, i) =>
    tensor(gpu, uniform(i + 50, numel(shape)), shape, { requiresGrad: true }),
  );
  const y = run(inputs, weights, gpu);
  const upstream = castArray(NDArray.from(gpu, uniform(99, y.size), y.shape), 'f16');
  backward([y], [y.dtype === 'f16' ? upstream : castArray(upstream, 'f32')]);
  const gradients = [...inputs, ...weights].map(({ grad }) => grad!);
  return {
    dtypes: [y.dtype, ...gradients.map(({ dtype }) => dtype)],
    values: await Promise.all([y.data(), ...gradients.map((gradient) => gradient.read())]),
  };
}

describeKinds('f16', (gpu, kind) => {
  const available = (): boolean => gpu().device.features.has('shader-f16');

  it('rounds to nearest and back, or says that the device has no f16', async () => {
    const values = [0, -0.1, 1 / 3, 1000.3, 65504, 2 ** -24, 1 + 2 ** -11];
    const x = NDArray.from(gpu(), values, [7]);
    if (!available()) {
      expect(() => castArray(x, 'f16')).toThrow(/no f16/);
      return;
    }
    const rounded = [0, -0.0999755859375, 0.333251953125, 1000.5, 65504, 2 ** -24, 1];
    expect([...(await castArray(x, 'f16').read())]).toEqual(rounded);
    expect([...(await castArray(castArray(x, 'f16'), 'f32').read())]).toEqual(rounded);
  });

  describe('gives what f32 gives for the same values, and gradients of the dtype of what they belong to', () => {
    for (const own of cases.filter(({ softwareOnly }) => kind === 'software' || !softwareOnly)) {
      it(own.name, async (context) => {
        if (!available()) return context.skip('This device has no shader-f16.');
        const [half, full] = [await evaluate(gpu(), own, true), await evaluate(gpu(), own, false)];
        const wanted = own.activations.map(() => 'f16').concat((own.parameters ?? []).map(() => 'f32'));
        expect(half.dtypes.slice(1)).toEqual(wanted);
        for (const [i, values] of half.values.entries()) {
          const reference = full.values[i]!;
          const largest = Math.max(...Array.from(reference, Math.abs));
          expectClose(values, reference, 2e-3, 1.5e-3 * largest);
        }
      });
    }
  });

  it('is written, filled and read like other dtypes', async (context) => {
    if (!available()) return context.skip('This device has no shader-f16.');
    const values = [1, -2.5, 65504, 1e9, -1e-9, 2 ** -24, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 - 2 ** -12];
    const rounded = [1, -2.5, 65504, Infinity, -0, 2 ** -24, 1, 1 + 2 ** -9, 2];
    expect([...(await NDArray.from(gpu(), values, [9], 'f16').read())]).toEqual(rounded);
    expect([...(await fill(gpu(), [3], 0.1, 'f16').read())]).toEqual([
      0.0999755859375, 0.0999755859375, 0.0999755859375,
    ]);
  });

  it('is refused by kernels that do not take it', () => {
    const half = NDArray.empty(gpu(), [2, 3], 'f16');
    expect(() => crossEntropy(half, NDArray.from(gpu(), [0, 1], [2], 'i32'))).toThrow(/expected f32/);
    expect(() => l2Normalize(half, { outer: 2, length: 3, inner: 1 }, 1e-12)).toThrow(/takes f32 here and got f16/);
  });
});
