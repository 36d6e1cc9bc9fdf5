import { describe, expect, it } from 'vitest';
import { dropout } from '../../src/autograd/ops/dropout.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();

async function keptWith(p: number, seed: number, count: number): Promise<boolean[]> {
  const y = await dropout(tensor(gpu(), new Float32Array(count).fill(1), [count]), { p, seed }).data();
  for (const value of y) if (value !== 0) expect(value).toBeCloseTo(1 / (1 - p), 6);
  return [...y].map((value) => value !== 0);
}

const correlation = (a: readonly boolean[], b: readonly boolean[], p: number): number =>
  a.reduce((sum, kept, i) => sum + (Number(kept) - (1 - p)) * (Number(b[i] ?? false) - (1 - p)), 0) /
  (a.length * p * (1 - p));

describe('dropout', () => {
  it('drops the given share of the elements and scales the others', async () => {
    for (const p of [0.1, 0.5, 0.9]) {
      const count = 40_000;
      const kept = (await keptWith(p, 3, count)).filter(Boolean).length;
      // Five standard deviations of the binomial distribution.
      expect(Math.abs(kept - count * (1 - p))).toBeLessThan(5 * Math.sqrt(count * p * (1 - p)));
    }
  });

  it('draws neighbouring elements and neighbouring seeds independently', async () => {
    const count = 40_000;
    const [a, b] = [await keptWith(0.3, 7, count), await keptWith(0.3, 8, count)];
    const limit = 5 / Math.sqrt(count);
    expect(Math.abs(correlation(a, b, 0.3))).toBeLessThan(limit);
    for (const lag of [1, 2, 32, 768]) {
      expect(Math.abs(correlation(a.slice(0, -lag), a.slice(lag), 0.3))).toBeLessThan(limit * 1.05);
      expect(Math.abs(correlation(a.slice(lag), b.slice(0, -lag), 0.3))).toBeLessThan(limit * 1.05);
    }
  });

  it('repeats its mask for the same seed and applies it to the gradient', async () => {
    const x = tensor(gpu(), new Float32Array(1001).fill(2), [7, 143], { requiresGrad: true });
    const y = dropout(x, { p: 0.25, seed: 5 });
    const first = await y.data();
    expect([...(await dropout(x, { p: 0.25, seed: 5 }).data())]).toEqual([...first]);
    backward([y], [NDArray.from(gpu(), new Float32Array(1001).fill(2), [7, 143])]);
    expect([...(await x.grad!.read())]).toEqual([...first]);
  });

  it('returns the tensor itself for p = 0 and refuses p = 1', () => {
    const x = tensor(gpu(), [1, 2], [2]);
    expect(dropout(x, { p: 0, seed: 1 })).toBe(x);
    expect(() => dropout(x, { p: 1, seed: 1 })).toThrow(/\[0, 1\)/);
  });
});
