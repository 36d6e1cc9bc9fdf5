import { expect, it } from 'vitest';
import { cosineSimilarity, pairwiseCosine } from '../../src/autograd/ops/cosine.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { describeKinds } from '../support/kinds.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [aa, bb, ab] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    aa += a[i]! ** 2;
    bb += b[i]! ** 2;
    ab += a[i]! * b[i]!;
  }
  return ab / Math.sqrt(aa * bb);
}

describeKinds('cosines', (gpu) => {
  for (const [rows, others, width] of [
    [1, 1, 4],
    [5, 3, 33],
    [17, 9, 128],
    [2, 66, 769],
  ] as const) {
    it(`compares ${rows} with ${others} vectors of ${width} in pairs and by broadcasting`, async () => {
      const [a, b] = [uniform(1, rows * width), uniform(2, others * width)];
      const expected = Array.from({ length: rows * others }, (_, i) => {
        const [row, col] = [Math.floor(i / others), i % others];
        return cosine(a.subarray(row * width, (row + 1) * width), b.subarray(col * width, (col + 1) * width));
      });
      const pairs = pairwiseCosine(tensor(gpu(), a, [rows, width]), tensor(gpu(), b, [others, width]));
      expect(pairs.shape).toEqual([rows, others]);
      expectClose(await pairs.data(), expected, 1e-6, 1e-6);
      const spread = cosineSimilarity(tensor(gpu(), a, [rows, 1, width]), tensor(gpu(), b, [others, width]));
      expect(spread.shape).toEqual([rows, others]);
      expectClose(await spread.data(), expected, 1e-6, 1e-6);
    });
  }

  it('agrees with finite differences', async () => {
    for (const [shapeA, shapeB] of [
      [
        [3, 8],
        [3, 8],
      ],
      [[4, 7], [7]],
      [[5], [2, 3, 5]],
      [
        [2, 1, 3, 9],
        [4, 1, 9],
      ],
    ] as const) {
      await gradcheck(gpu(), [randomInput(1, shapeA, 0.2, 1), randomInput(2, shapeB)], (a, b) =>
        cosineSimilarity(a!, b!),
      );
    }
    await gradcheck(gpu(), [randomInput(3, [5, 9]), randomInput(4, [3, 9])], (a, b) => pairwiseCosine(a!, b!));
    await gradcheck(gpu(), [randomInput(3, [2, 8]), randomInput(4, [6, 8])], (a, b) => pairwiseCosine(a!, b!));
  });

  it('treats the divisor as constant where the norms are at most eps', async () => {
    for (const op of [cosineSimilarity, pairwiseCosine]) {
      const a = tensor(gpu(), [0, 0, 0], [1, 3], { requiresGrad: true });
      const b = tensor(gpu(), [1, 2, 2], [1, 3], { requiresGrad: true });
      const y = op(a, b, 0.5);
      backward([y], [NDArray.from(gpu(), [3], y.shape)]);
      expectClose(await y.data(), [0], 0, 0);
      expectClose(await a.grad!.read(), [6, 12, 12], 1e-6, 0);
      expectClose(await b.grad!.read(), [0, 0, 0], 0, 0);
    }
  });

  it('refuses vectors of different widths', () => {
    const [a, b] = [tensor(gpu(), [1, 2], [1, 2]), tensor(gpu(), [1, 2, 3], [1, 3])];
    expect(() => cosineSimilarity(a, b)).toThrow(/last axes/);
    expect(() => pairwiseCosine(a, b)).toThrow(/expected \[N, width\]/);
  });
});
