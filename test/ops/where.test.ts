import { describe, expect, it } from 'vitest';
import { permute } from '../../src/autograd/ops/shape.ts';
import { where } from '../../src/autograd/ops/where.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { useGpu } from '../support/gpu.ts';
import { gradcheck, randomInput, uniform } from '../support/numeric.ts';

const gpu = useGpu();

describe('where', () => {
  it('chooses element by element with all three operands broadcast', async () => {
    const condition = tensor(gpu(), [1, 0, 1], [3], { dtype: 'i32' });
    const y = where(condition, tensor(gpu(), [10, 20], [2, 1]), tensor(gpu(), [-5], []));
    expect(y.shape).toEqual([2, 3]);
    expect([...(await y.data())]).toEqual([10, -5, 10, 20, -5, 20]);
  });

  it('materialises broadcasts over more axes than the kernel walks', async () => {
    const bits = [...uniform(7, 2 * 3 * 4 * 5)].map((v) => (v > 0 ? 1 : 0));
    const condition = permute(tensor(gpu(), bits, [5, 4, 3, 2], { dtype: 'bool' }), [3, 2, 1, 0]);
    const [a, b] = [uniform(8, 3 * 5), uniform(9, 2 * 4)];
    const y = where(condition, tensor(gpu(), a, [1, 3, 1, 5]), tensor(gpu(), b, [2, 1, 4, 1]));
    const expected: number[] = [];
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 3; j++)
        for (let k = 0; k < 4; k++)
          for (let l = 0; l < 5; l++)
            expected.push(bits[((l * 4 + k) * 3 + j) * 2 + i] ? a[j * 5 + l]! : b[i * 4 + k]!);
    expect([...(await y.data())]).toEqual(expected);
  });

  it('sends each gradient only where its operand was chosen', async () => {
    await gradcheck(gpu(), [randomInput(1, [3, 1, 5]), randomInput(2, [4, 5])], (a, b) =>
      where(tensor(gpu(), [0, 1, 1, 0, 1], [5], { dtype: 'i32' }), a!, b!),
    );
  });

  it('refuses a condition of floats', () => {
    const x = tensor(gpu(), [1], [1]);
    expect(() => where(x, x, x)).toThrow(/expected i32/);
  });
});
