import { expect, it } from 'vitest';
import { l2Normalize } from '../../src/autograd/ops/l2Normalize.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { describeKinds } from '../support/kinds.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

describeKinds('l2Normalize', (gpu) => {
  it('divides the vectors along any axis by their norms', async () => {
    for (const [shape, axis] of [
      [[1, 1], -1],
      [[65, 12], -1],
      [[3, 5, 7], 1],
      [[3, 5, 8], 0],
      [[4, 769], 1],
      [[2, 2052], -1],
    ] as const) {
      const values = uniform(
        shape[0],
        shape.reduce<number>((a, b) => a * b, 1),
      );
      const y = await l2Normalize(tensor(gpu(), values, shape), axis).data();
      const along = axis < 0 ? axis + shape.length : axis;
      const inner = shape.slice(along + 1).reduce<number>((a, b) => a * b, 1);
      const stride = inner * shape[along]!;
      const squares = new Map<number, number>();
      const vectorOf = (i: number): number => Math.floor(i / stride) * inner + (i % inner);
      for (const [i, v] of values.entries()) squares.set(vectorOf(i), (squares.get(vectorOf(i)) ?? 0) + v * v);
      expectClose(
        y,
        values.map((v, i) => v / Math.sqrt(squares.get(vectorOf(i))!)),
        3e-6,
        1e-7,
      );
    }
  });

  it('agrees with finite differences', async () => {
    await gradcheck(gpu(), [randomInput(1, [3, 8])], (x) => l2Normalize(x!, -1));
    await gradcheck(gpu(), [randomInput(2, [2, 7, 3])], (x) => l2Normalize(x!, 1));
    await gradcheck(gpu(), [randomInput(3, [5, 33])], (x) => l2Normalize(x!, 1));
  });

  it('keeps zero vectors at zero, with a finite gradient', async () => {
    const x = tensor(gpu(), [0, 0, 0, 3, 0, 4], [2, 3], { requiresGrad: true });
    const y = l2Normalize(x, -1, 1e-3);
    backward([y], [NDArray.from(gpu(), [1, 2, 3, 0, 1, 0], [2, 3])]);
    expectClose(await y.data(), [0, 0, 0, 0.6, 0, 0.8], 1e-6, 0);
    expectClose(await x.grad!.read(), [1e3, 2e3, 3e3, 0, 0.2, 0], 1e-5, 1e-7);
  });

  it('refuses an axis out of range', () => {
    expect(() => l2Normalize(tensor(gpu(), [1, 2], [2]), 1)).toThrow(/axis 1 is out of range/);
  });
});
