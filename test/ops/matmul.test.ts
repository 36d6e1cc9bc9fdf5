import { describe, expect, it } from 'vitest';
import { linear, matmul } from '../../src/autograd/ops/matmul.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

const gpu = useGpu();

function reference(a: Float32Array, b: Float32Array, m: number, k: number, n: number): Float64Array {
  const y = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let p = 0; p < k; p++) for (let j = 0; j < n; j++) y[i * n + j]! += a[i * k + p]! * b[p * n + j]!;
  return y;
}

function transposed(x: Float32Array, rows: number, cols: number): Float32Array {
  return Float32Array.from({ length: rows * cols }, (_, i) => x[(i % rows) * cols + Math.floor(i / rows)]!);
}

describe('matmul', () => {
  const sizes = [
    [1, 1, 1],
    [16, 4, 32],
    [17, 5, 33],
    [15, 64, 31],
    [64, 64, 64],
    [65, 130, 63],
    [128, 16, 128],
    [3, 9001, 5],
    [4, 9000, 8],
  ] as const;
  for (const [m, k, n] of sizes) {
    it(`multiplies ${m}x${k} by ${k}x${n} in every storage order`, async () => {
      const a = uniform(m + k, m * k);
      const b = uniform(n + k, k * n);
      const expected = reference(a, b, m, k, n);
      for (const transposeA of [false, true]) {
        for (const transposeB of [false, true]) {
          const left = tensor(gpu(), transposeA ? transposed(a, m, k) : a, transposeA ? [k, m] : [m, k]);
          const right = tensor(gpu(), transposeB ? transposed(b, k, n) : b, transposeB ? [n, k] : [k, n]);
          const y = matmul(left, right, { transposeA, transposeB });
          expect(y.shape).toEqual([m, n]);
          expectClose(await y.data(), expected, 1e-5, 4e-6 * Math.sqrt(k));
        }
      }
    });
  }

  it('has the right gradients for broadcast batches and transposed operands', async () => {
    await gradcheck(gpu(), [randomInput(1, [2, 1, 3, 5]), randomInput(2, [4, 5, 6])], (a, b) => matmul(a!, b!));
    await gradcheck(gpu(), [randomInput(1, [2, 5, 3]), randomInput(2, [2, 6, 5])], (a, b) =>
      matmul(a!, b!, { transposeA: true, transposeB: true }),
    );
    await gradcheck(gpu(), [randomInput(3, [2, 3, 5]), randomInput(4, [7, 5]), randomInput(5, [7])], (x, w, b) =>
      linear(x!, w!, b!),
    );
  });

  it('refuses operands whose inner dimensions differ', () => {
    expect(() => matmul(tensor(gpu(), [1, 2], [1, 2]), tensor(gpu(), [1, 2, 3], [3, 1]))).toThrow(/inner dimensions/);
  });
});
