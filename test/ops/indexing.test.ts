import { describe, expect, it } from 'vitest';
import { embedding, gather, indexSelect } from '../../src/autograd/ops/indexing.ts';
import { backward } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

const gpu = useGpu();

const indices = (values: readonly number[], shape: readonly number[]): Tensor =>
  tensor(gpu(), values, shape, { dtype: 'i32' });

/** Indices with a skewed distribution: few rows occur very often, as words do. */
function skewed(seed: number, count: number, rows: number): number[] {
  return [...uniform(seed, count, 0, 1)].map((u) => Math.floor(u ** 4 * rows));
}

describe('embedding', () => {
  for (const [rows, width, count] of [
    [7, 1, 5],
    [50, 4, 64],
    [3, 33, 65],
    [2, 8, 1000],
    [400, 12, 777],
  ] as const) {
    it(`looks up ${count} of ${rows} rows of ${width} and adds the gradients of repeated ones`, async () => {
      const table = uniform(rows, rows * width);
      const picked = skewed(count, count, rows);
      const w = tensor(gpu(), table, [rows, width], { requiresGrad: true });
      const y = embedding(w, indices(picked, [count]));
      const expected = picked.flatMap((row) => [...table.subarray(row * width, (row + 1) * width)]);
      expect([...(await y.data())]).toEqual(expected);
      const upstream = uniform(3, count * width);
      backward([y], [NDArray.from(gpu(), upstream, y.shape)]);
      const grad = new Float64Array(rows * width);
      for (const [j, row] of picked.entries())
        for (let d = 0; d < width; d++) grad[row * width + d]! += upstream[j * width + d]!;
      expectClose(await w.grad!.read(), grad, 1e-6, 1e-5);
    });
  }

  it('gives the padding row no gradient', async () => {
    const w = tensor(gpu(), uniform(1, 12), [3, 4], { requiresGrad: true });
    const y = embedding(w, indices([0, 1, 0, 1, 0, 2], [2, 3]), { paddingIndex: 0 });
    expect(y.shape).toEqual([2, 3, 4]);
    backward([y], [NDArray.from(gpu(), new Float32Array(24).fill(1), y.shape)]);
    expect([...(await w.grad!.read())]).toEqual([0, 0, 0, 0, 2, 2, 2, 2, 1, 1, 1, 1]);
  });

  it('clamps indices outside the table, in both directions', async () => {
    const w = tensor(gpu(), [1, 2, 3], [3, 1], { requiresGrad: true });
    const y = embedding(w, indices([-7, 99, 1, 3], [4]));
    expect([...(await y.data())]).toEqual([1, 3, 2, 3]);
    backward([y], [NDArray.from(gpu(), [1, 10, 100, 1000], [4, 1])]);
    expect([...(await w.grad!.read())]).toEqual([1, 100, 1010]);
  });

  it('gives the same bits every time', async () => {
    const run = async (): Promise<number[]> => {
      const w = tensor(gpu(), uniform(1, 20), [5, 4], { requiresGrad: true });
      const y = embedding(w, indices(skewed(9, 900, 5), [900]));
      backward([y], [NDArray.from(gpu(), uniform(2, 3600), y.shape)]);
      return [...(await w.grad!.read())];
    };
    expect(await run()).toEqual(await run());
  });

  it('refuses an index of floats', () => {
    expect(() => embedding(tensor(gpu(), [1], [1, 1]), tensor(gpu(), [0], [1]))).toThrow(/expected i32/);
  });
});

describe('indexSelect', () => {
  it('selects along any axis with the right gradient', async () => {
    for (const axis of [0, 1, -1]) {
      await gradcheck(gpu(), [randomInput(axis + 5, [3, 4, 8])], (x) =>
        indexSelect(x!, axis, indices([2, 0, 2, 1, 2], [5])),
      );
    }
    const y = indexSelect(tensor(gpu(), [1, 2, 3, 4, 5, 6], [2, 3], { dtype: 'i32' }), 1, indices([2, 2, 0], [3]));
    expect([...(await y.data())]).toEqual([3, 3, 1, 6, 6, 4]);
  });

  it('adds runs that cross many chunks', async () => {
    const picked = skewed(4, 300, 3);
    await gradcheck(gpu(), [randomInput(5, [2, 3, 5])], (x) => indexSelect(x!, 1, indices(picked, [300])));
  });
});

describe('gather', () => {
  it('picks per element along any axis with the right gradient', async () => {
    await gradcheck(gpu(), [randomInput(1, [3, 5])], (x) => gather(x!, 1, indices([0, 4, 4, 1, 1, 1], [3, 2])));
    await gradcheck(gpu(), [randomInput(2, [3, 2, 2])], (x) =>
      gather(x!, 0, indices([2, 0, 1, 1, 2, 2, 0, 2], [2, 2, 2])),
    );
  });

  it('takes an index that is smaller than the tensor on other axes', async () => {
    const y = gather(tensor(gpu(), [1, 2, 3, 4, 5, 6], [3, 2]), 1, indices([1, 0], [2, 1]));
    expect([...(await y.data())]).toEqual([2, 3]);
  });

  it('refuses an index that is larger on another axis', () => {
    expect(() => gather(tensor(gpu(), [1, 2], [1, 2]), 1, indices([0, 0], [2, 1]))).toThrow(/does not fit/);
  });
});
