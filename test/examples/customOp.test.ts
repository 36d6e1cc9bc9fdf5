import { describe, expect, it } from 'vitest';
import { snake } from '../../examples/custom-op/snake.ts';
import { mul } from '../../src/autograd/ops/elementwise.ts';
import { permute } from '../../src/autograd/ops/shape.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { describeAdapter } from '../../src/gpu/adapter.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';
import { describeInChromium } from './support/page.ts';

const gpu = useGpu();

/** WGSL promises no more of `sin` than an absolute error of 2^-11, and SwiftShader takes up much of it. */
const sineError = (otherwise: number): number =>
  /swiftshader/i.test(describeAdapter(gpu().adapter)) ? 2 ** -11 : otherwise;

describe('an operation of an application', () => {
  it('has the values and gradients of its definition', async () => {
    const a = 1.7;
    const values = uniform(3, 1000, -3, 3);
    const upstream = uniform(4, 1000);
    const x = tensor(gpu(), values, [10, 100], { requiresGrad: true });
    const y = snake(x, a);
    backward([y], [NDArray.from(gpu(), upstream, [10, 100])]);
    expectClose(
      await y.data(),
      [...values].map((v) => v + Math.sin(a * v) ** 2 / a),
      1e-5,
      sineError(1e-6),
    );
    expectClose(
      await x.grad!.read(),
      [...values].map((v, i) => upstream[i]! * (1 + Math.sin(2 * a * v))),
      1e-5,
      sineError(2e-6),
    );
  });

  it('agrees with finite differences, also between operations of the engine and on a strided tensor', async () => {
    const inputs = [randomInput(1, [7, 5], -2, 2), randomInput(2, [5, 7])];
    await gradcheck(gpu(), inputs.slice(0, 1), (x) => snake(x!, 0.8));
    await gradcheck(gpu(), inputs, (x, w) => mul(snake(permute(x!, [1, 0]), 2), w!));
  });

  it('refuses what it cannot compute', () => {
    expect(() => snake(tensor(gpu(), [1], [1]), 0)).toThrow(/positive frequency/);
  });
});

describeInChromium('custom-op', (page) => {
  it('trains a network in a page', async () => {
    await page().waitForSelector('#status[data-done]');
    const text = (await page().textContent('#status')) ?? '';
    expect(Number(/error ([\d.]+)/.exec(text)?.[1]), text).toBeLessThan(0.02);
  });
});
