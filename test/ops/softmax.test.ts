import { expect, it } from 'vitest';
import { logSoftmax, softmax } from '../../src/autograd/ops/softmax.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { numel } from '../../src/kernels/shape.ts';
import { describeKinds } from '../support/kinds.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

function reference(x: Float32Array, outer: number, length: number, inner: number): Float64Array {
  const y = new Float64Array(x.length);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = (j: number): number => (o * length + j) * inner + i;
      let [largest, sum] = [-Infinity, 0];
      for (let j = 0; j < length; j++) largest = Math.max(largest, x[at(j)]!);
      for (let j = 0; j < length; j++) sum += Math.exp(x[at(j)]! - largest);
      for (let j = 0; j < length; j++) y[at(j)] = x[at(j)]! - largest - Math.log(sum);
    }
  }
  return y;
}

describeKinds('softmax', (gpu) => {
  const cases = [
    [[1], 0],
    [[4, 1], 1],
    [[3, 65], 1],
    [[65, 3], 0],
    [[2, 7, 33], 1],
    [[3, 66, 8], 1],
    [[5, 4100], 1],
    [[70, 4, 1024], 1],
    [[2, 4, 1025], 1],
    [[2, 9001], -1],
    [[600, 5], 1],
  ] as const;
  for (const [shape, axis] of cases) {
    it(`normalises [${shape}] along axis ${axis}, also as a logarithm`, async () => {
      const values = uniform(numel(shape), numel(shape), -6, 6);
      const along = axis < 0 ? axis + shape.length : axis;
      const expected = reference(values, numel(shape.slice(0, along)), shape[along]!, numel(shape.slice(along + 1)));
      const x = tensor(gpu(), values, shape);
      expectClose(await logSoftmax(x, axis).data(), expected, 2e-6, 2e-6);
      expectClose(await softmax(x, axis).data(), expected.map(Math.exp), 1e-5, 1e-7);
    });
  }

  it('has the right gradients along any axis', async () => {
    for (const axis of [0, 1, 2]) {
      await gradcheck(gpu(), [randomInput(axis, [3, 8, 12])], (x) => softmax(x!, axis));
      await gradcheck(gpu(), [randomInput(axis, [3, 8, 12])], (x) => logSoftmax(x!, axis));
    }
  });

  it('gives masked entries exactly no weight and no gradient', async () => {
    for (const mask of [-1e30, Number.NEGATIVE_INFINITY]) {
      const x = tensor(gpu(), [0.5, mask, -0.25, mask, 2, mask], [2, 3], { requiresGrad: true });
      const y = softmax(x);
      const e = 1 / (1 + Math.exp(-0.75));
      expectClose(await y.data(), [e, 0, 1 - e, 0, 1, 0], 1e-6, 0);
      backward([y], [NDArray.from(gpu(), [1, 2, 3, 4, 5, 6], [2, 3])]);
      const grad = await x.grad!.read();
      expectClose([grad[1]!, grad[3]!, grad[5]!], [0, 0, 0], 0, 0);
      expectClose([grad[0]!, grad[2]!], [-2 * e * (1 - e), 2 * e * (1 - e)], 1e-5, 0);
    }
  });

  it('hands -inf through the logarithm', async () => {
    const y = await logSoftmax(tensor(gpu(), [0, Number.NEGATIVE_INFINITY], [2])).data();
    expect([...y]).toEqual([0, Number.NEGATIVE_INFINITY]);
  });

  it('spreads evenly over a row in which everything is masked', async () => {
    expectClose(await softmax(tensor(gpu(), [-1e30, -1e30, -1e30, -1e30], [1, 4])).data(), [0.25, 0.25, 0.25, 0.25]);
  });
});
