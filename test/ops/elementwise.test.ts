import { describe, expect, it } from 'vitest';
import * as ops from '../../src/autograd/ops/elementwise.ts';
import { permute, slice } from '../../src/autograd/ops/shape.ts';
import { backward } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

const gpu = useGpu();

interface UnaryCase {
  readonly op: (x: Tensor) => Tensor;
  readonly f: (x: number) => number;
  /** Interval of the inputs, inside the domain and away from kinks. */
  readonly from: number;
  readonly to: number;
}

/** Abramowitz and Stegun 7.1.5 and 7.1.14, in double precision. */
function erf(x: number): number {
  const z = Math.abs(x);
  if (z < 2.5) {
    let [term, sum] = [z, z];
    for (let n = 1; n < 60; n++) {
      term *= (-z * z) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (z + fraction);
  return Math.sign(x) * (1 - Math.exp(-z * z) / Math.sqrt(Math.PI) / (z + fraction));
}

const unaryCases: Readonly<Record<string, UnaryCase>> = {
  neg: { op: ops.neg, f: (x) => -x, from: -3, to: 3 },
  exp: { op: ops.exp, f: Math.exp, from: -3, to: 3 },
  log: { op: ops.log, f: Math.log, from: 0.2, to: 4 },
  sqrt: { op: ops.sqrt, f: Math.sqrt, from: 0.2, to: 4 },
  rsqrt: { op: ops.rsqrt, f: (x) => 1 / Math.sqrt(x), from: 0.2, to: 4 },
  tanh: { op: ops.tanh, f: Math.tanh, from: -3, to: 3 },
  gelu: { op: ops.gelu, f: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)), from: -4, to: 4 },
  relu: { op: ops.relu, f: (x) => Math.max(x, 0), from: 0.1, to: 3 },
  sigmoid: { op: ops.sigmoid, f: (x) => 1 / (1 + Math.exp(-x)), from: -5, to: 5 },
  abs: { op: ops.abs, f: Math.abs, from: -3, to: -0.1 },
  square: { op: ops.square, f: (x) => x * x, from: -3, to: 3 },
  reciprocal: { op: ops.reciprocal, f: (x) => 1 / x, from: 0.3, to: 3 },
  erf: { op: ops.erf, f: erf, from: -3, to: 3 },
  clamp: { op: (x) => ops.clamp(x, -0.5, 0.75), f: (x) => Math.min(0.75, Math.max(-0.5, x)), from: -0.4, to: 0.7 },
  scale: { op: (x) => ops.scale(x, 2.5, -1), f: (x) => 2.5 * x - 1, from: -3, to: 3 },
};

describe('functions of one argument', () => {
  for (const [name, { op, f, from, to }] of Object.entries(unaryCases)) {
    it(`${name} has the right values and gradient for any number of elements`, async () => {
      for (const shape of [[], [1], [3, 5], [257], [2, 4, 8]]) {
        const { values } = randomInput(shape.length, shape, from, to);
        expectClose(await op(tensor(gpu(), values, shape)).data(), Array.from(values, f), 5e-6, 1e-6);
      }
      await gradcheck(gpu(), [randomInput(3, [3, 5], from, to)], (x) => op(x!));
      await gradcheck(gpu(), [randomInput(4, [8], from, to)], (x) => op(x!));
    });
  }

  it('stay finite where the exponential overflows', async () => {
    const far = [-1e4, -200, -100, 100, 200, 1e4];
    const sides = (low: number, high: number): number[] => [low, low, low, high, high, high];
    const x = (): Tensor => tensor(gpu(), far, [6], { requiresGrad: true });
    for (const [op, expected] of [
      [ops.tanh, sides(-1, 1)],
      [ops.sigmoid, sides(0, 1)],
      [ops.erf, sides(-1, 1)],
      [ops.gelu, [0, 0, 0, 100, 200, 1e4]],
    ] as const) {
      const leaf = x();
      const y = op(leaf);
      expectClose(await y.data(), expected, 0, 1e-20);
      backward([y], [NDArray.from(gpu(), new Float32Array(6).fill(1), [6])]);
      expectClose(await leaf.grad!.read(), op === ops.gelu ? sides(0, 1) : sides(0, 0), 0, 1e-20);
    }
  });

  it('have their conventional derivatives at kinks', async () => {
    const slope = async (op: (x: Tensor) => Tensor, at: readonly number[]): Promise<number[]> => {
      const x = tensor(gpu(), at, [at.length], { requiresGrad: true });
      backward([op(x)], [NDArray.from(gpu(), new Float32Array(at.length).fill(1), [at.length])]);
      return [...(await x.grad!.read())];
    };
    expect(await slope(ops.relu, [-1, 0, 1])).toEqual([0, 0, 1]);
    expect(await slope(ops.abs, [-1, 0, 1])).toEqual([-1, 0, 1]);
    expect(await slope((x) => ops.clamp(x, -1, 2), [-1.5, -1, 2, 2.5])).toEqual([0, 1, 1, 0]);
  });
});

describe('functions of two arguments', () => {
  const shapes = [
    [
      [3, 4, 5],
      [3, 4, 5],
    ],
    [
      [4, 1, 8],
      [3, 1],
    ],
    [[], [2, 3]],
    [
      [7, 1],
      [1, 9],
    ],
    [[129, 67], [67]],
    [[], [2, 4]],
    [[5, 8], [8]],
    [
      [2, 3, 4],
      [2, 1, 4],
    ],
    [
      [2, 3, 12],
      [3, 1],
    ],
    [
      [6, 1],
      [2, 1, 8],
    ],
    [
      [2, 1, 4, 1, 2],
      [1, 3, 1, 5, 1],
    ],
  ] as const;
  const functions = [
    [ops.add, (a: number, b: number) => a + b],
    [ops.sub, (a: number, b: number) => a - b],
    [ops.mul, (a: number, b: number) => a * b],
    [ops.div, (a: number, b: number) => a / b],
    [ops.maximum, Math.max],
  ] as const;
  /** Value of a broadcast operand at a row-major position of the result. */
  const at = (values: Float32Array, own: readonly number[], shape: readonly number[], position: number): number => {
    let [rest, flat, stride] = [position, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = own[axis - shape.length + own.length] ?? 1;
      if (size !== 1) flat += (rest % shape[axis]!) * stride;
      stride *= size;
      rest = Math.floor(rest / shape[axis]!);
    }
    return values[flat]!;
  };
  for (const [op, f] of functions) {
    it(`${op.name} broadcasts its operands and sums their gradients`, async () => {
      for (const [shapeA, shapeB] of shapes) {
        const a = randomInput(1, shapeA, -3, 3);
        const b = randomInput(2, shapeB, 0.5, 2);
        const y = op(tensor(gpu(), a.values, shapeA), tensor(gpu(), b.values, shapeB));
        const expected = Array.from({ length: y.size }, (_, i) =>
          f(at(a.values, shapeA, y.shape, i), at(b.values, shapeB, y.shape, i)),
        );
        expectClose(await y.data(), expected, 3e-7, 0);
      }
      // Values of one operand lie between those of the other, so that no step crosses the kink of maximum.
      const steps = { shape: [3, 1, 4], values: uniform(3, 12, 0, 0.1).map((v, i) => 0.7 + 0.5 * (i % 4) + v) };
      const between = { shape: [5, 1], values: uniform(4, 5, 0, 0.1).map((v, i) => 0.95 + 0.5 * (i % 4) + v) };
      await gradcheck(gpu(), [steps, between], (p, q) => op(p!, q!));
    });
  }

  it('read views with steps and other orders of axes', async () => {
    const x = tensor(gpu(), [1, 2, 3, 4, 5, 6], [2, 3]);
    const y = ops.add(permute(x, [1, 0]), slice(tensor(gpu(), [10, 20, 30, 40], [4]), [[3, 0, -2]]));
    expect([...(await y.data())]).toEqual([41, 24, 42, 25, 43, 26]);
  });

  it('split the gradient of maximum at ties', async () => {
    const a = tensor(gpu(), [1, 2, 3], [3], { requiresGrad: true });
    const b = tensor(gpu(), [2, 2, 2], [3], { requiresGrad: true });
    backward([ops.maximum(a, b)], [NDArray.from(gpu(), [1, 1, 1], [3])]);
    expect([...(await a.grad!.read())]).toEqual([0, 0.5, 1]);
    expect([...(await b.grad!.read())]).toEqual([1, 0.5, 0]);
  });

  it('refuse integers', () => {
    const x = tensor(gpu(), [1, 2], [2], { dtype: 'i32' });
    expect(() => ops.mul(x, x)).toThrow(/dtype i32; expected f32/);
    expect(() => ops.exp(x)).toThrow(/expected f32/);
  });

  it('refuse shapes that do not fit', () => {
    expect(() => ops.add(tensor(gpu(), [1, 2], [2]), tensor(gpu(), [1, 2, 3], [3]))).toThrow(/cannot be broadcast/);
  });
});
