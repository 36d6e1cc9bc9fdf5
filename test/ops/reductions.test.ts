import { expect, it } from 'vitest';
import { argmax, logSumExp, max, mean, sum } from '../../src/autograd/ops/reductions.ts';
import { permute } from '../../src/autograd/ops/shape.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { numel } from '../../src/kernels/shape.ts';
import { describeKinds } from '../support/kinds.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

/** Groups of elements that a reduction over `axes` combines, in row-major order of the result. */
function groups(values: Float32Array, shape: readonly number[], axes: readonly number[]): number[][] {
  const kept = [...shape.keys()].filter((axis) => !axes.includes(axis));
  const result = Array.from({ length: numel(kept.map((axis) => shape[axis]!)) }, (): number[] => []);
  for (let i = 0; i < values.length; i++) {
    let rest = i;
    const index = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    const group = kept.reduce((flat, axis) => flat * shape[axis]! + index[axis]!, 0);
    result[group]!.push(values[i]!);
  }
  return result;
}

const total = (group: readonly number[]): number => group.reduce((a, b) => a + b, 0);

describeKinds('reductions', (gpu) => {
  const cases = [
    [[1], [0]],
    [[7, 3], [0]],
    [[5, 129], [1]],
    [[2051, 3], [0]],
    [[3000, 64], [0]],
    [[2, 700, 12], [1]],
    [[300, 65], [0]],
    [[20_001], [0]],
    [[3, 9000], [1]],
    [
      [4, 3, 5, 6],
      [0, 2],
    ],
    [
      [4, 3, 5, 6],
      [0, 1, 3],
    ],
    [
      [2, 64, 33],
      [0, 1],
    ],
    [[2, 3, 4], []],
  ] as const;
  for (const [shape, axes] of cases) {
    it(`reduces [${shape}] over [${axes}]`, async () => {
      const values = uniform(numel(shape), numel(shape), -2, 3);
      const x = tensor(gpu(), values, shape);
      const rows = groups(values, shape, axes);
      const length = rows[0]!.length;
      expectClose(await sum(x, axes).data(), rows.map(total), 1e-6, 2e-6 * Math.sqrt(length));
      expectClose(
        await mean(x, axes).data(),
        rows.map((row) => total(row) / length),
        1e-6,
        1e-6,
      );
      expectClose(
        await max(x, axes).data(),
        rows.map((row) => row.reduce((a, b) => Math.max(a, b))),
        0,
        0,
      );
      const expected = rows.map((row) => Math.log(total(row.map(Math.exp))));
      expectClose(await logSumExp(x, axes).data(), expected, 1e-6, 2e-6);
    });
  }

  it('reads views in the order of their axes', async () => {
    const x = permute(tensor(gpu(), [1, 2, 3, 4, 5, 6], [2, 3]), [1, 0]);
    expect([...(await sum(x, [1]).data())]).toEqual([5, 7, 9]);
    expect([...(await argmax(x, null).data())]).toEqual([5]);
  });

  it('keeps reduced axes with size 1 on request', () => {
    const x = tensor(gpu(), uniform(1, 24), [2, 3, 4]);
    expect(sum(x, [0, -1], true).shape).toEqual([1, 3, 1]);
    expect(mean(x, null).shape).toEqual([]);
    expect(argmax(x, 1, true).shape).toEqual([2, 1, 4]);
  });

  it('has the right gradients', async () => {
    for (const axes of [[1], [0, 2], null] as const) {
      const x = () => [randomInput(5, [3, 5, 4])];
      await gradcheck(gpu(), x(), (t) => sum(t!, axes));
      await gradcheck(gpu(), x(), (t) => mean(t!, axes, true));
      await gradcheck(gpu(), x(), (t) => logSumExp(t!, axes));
    }
    const spread = { shape: [2, 3, 5], values: uniform(6, 30).map((v, i) => v * 1e-2 + ((i * 7) % 30)) };
    await gradcheck(gpu(), [spread], (t) => max(t!, [0, 2]));
    await gradcheck(gpu(), [spread], (t) => max(t!, [1], true));
  });

  it('takes the first of equal maxima, for the position and for the gradient', async () => {
    const values = [3, 1, 3, 0, 5, 5, -1, -1, -1];
    const x = tensor(gpu(), values, [3, 3], { requiresGrad: true });
    expect([...(await argmax(x, 1).data())]).toEqual([0, 1, 0]);
    backward([sum(max(x, [1]), null)]);
    expect([...(await x.grad!.read())]).toEqual([1, 0, 0, 0, 1, 0, 1, 0, 0]);
    const long = new Float32Array(5000).fill(-2);
    long[4321] = long[4990] = 7;
    expect([...(await argmax(tensor(gpu(), long, [5000]), 0).data())]).toEqual([4321]);
  });

  it('adds nothing to 0 and refuses other reductions of nothing', async () => {
    const x = tensor(gpu(), [], [2, 0]);
    expect([...(await sum(x, [1]).data())]).toEqual([0, 0]);
    expect(() => max(x, [1])).toThrow(/no elements/);
    expect(() => mean(x, null)).toThrow(/no elements/);
    expect(() => sum(x, [2])).toThrow(/out of range/);
  });

  it('is stable for large magnitudes', async () => {
    const x = tensor(gpu(), [1000, 1000, -1e30, -1e30, -2000, -2001], [3, 2]);
    expectClose(await logSumExp(x, [1]).data(), [1000 + Math.LN2, -1e30, -2000 + Math.log1p(Math.exp(-1))], 1e-6, 0);
  });
});
