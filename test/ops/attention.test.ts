import { describe, expect, it } from 'vitest';
import { attention, attentionWithProbabilities } from '../../src/autograd/ops/attention.ts';
import { backward, noGrad } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { supportsFusedAttention } from '../../src/kernels/attention.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

const gpu = useGpu();

interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly length: number;
  readonly size: number;
}

/** Attention and its gradients in float64; the mask may hide keys. */
function reference(q: Float32Array, k: Float32Array, v: Float32Array, dy: Float32Array, mask: Int32Array, s: Sizes) {
  const { batch, heads, length, size } = s;
  const [y, dq, dk, dv] = [0, 1, 2, 3].map(() => new Float64Array(q.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const probabilities = new Float64Array(batch * heads * length * length);
  const scale = 1 / Math.sqrt(size);
  for (let head = 0; head < batch * heads; head++) {
    const at = (row: number): number => (head * length + row) * size;
    const counts = (key: number): boolean => mask[Math.floor(head / heads) * length + key] !== 0;
    const dot = (a: Float32Array, i: number, b: Float32Array, j: number): number => {
      let sum = 0;
      for (let c = 0; c < size; c++) sum += a[at(i) + c]! * b[at(j) + c]!;
      return sum;
    };
    for (let i = 0; i < length; i++) {
      const scores = Array.from({ length }, (_, j) => (counts(j) ? scale * dot(q, i, k, j) : -Infinity));
      const largest = Math.max(...scores);
      const weights = scores.map((score) => (score === -Infinity ? 0 : Math.exp(score - largest)));
      const sum = weights.reduce((a, b) => a + b, 0);
      const p = weights.map((weight) => (sum > 0 ? weight / sum : 0));
      const dp = p.map((_, j) => dot(dy, i, v, j));
      const mean = p.reduce((total, pj, j) => total + pj * dp[j]!, 0);
      for (let j = 0; j < length; j++) {
        probabilities[(head * length + i) * length + j] = p[j]!;
        const ds = p[j]! * (dp[j]! - mean) * scale;
        for (let c = 0; c < size; c++) {
          y[at(i) + c]! += p[j]! * v[at(j) + c]!;
          dv[at(j) + c]! += p[j]! * dy[at(i) + c]!;
          dq[at(i) + c]! += ds * k[at(j) + c]!;
          dk[at(j) + c]! += ds * q[at(i) + c]!;
        }
      }
    }
  }
  return { y, probabilities, dq, dk, dv };
}

const cases: readonly Sizes[] = [
  { batch: 1, heads: 1, length: 1, size: 4 },
  { batch: 2, heads: 3, length: 5, size: 3 },
  { batch: 1, heads: 2, length: 33, size: 16 },
  { batch: 2, heads: 1, length: 70, size: 13 },
  { batch: 1, heads: 2, length: 31, size: 20 },
  { batch: 1, heads: 1, length: 35, size: 64 },
];

/** Both forms, or the one that the device has. */
function forms(): readonly ('fused' | 'unfused')[] {
  return supportsFusedAttention(gpu()) ? ['fused', 'unfused'] : ['unfused'];
}

describe('attention', () => {
  for (const sizes of cases) {
    const { batch, heads, length, size } = sizes;
    for (const form of ['fused', 'unfused'] as const) {
      it(`matches float64 for ${batch} x ${heads} heads of ${length} x ${size} (${form})`, async (context) => {
        // Mesa's software driver needs minutes to compile the kernels of larger heads.
        const slow = size > 32 && /llvmpipe|lavapipe/i.test(gpu().adapter.description);
        if (form === 'fused' && slow) context.skip('too slow to compile here');
        if (form === 'fused' && !supportsFusedAttention(gpu())) context.skip('the device has no subgroups');
        const shape = [batch, heads, length, size];
        const count = batch * heads * length * size;
        const [q, k, v, dy] = [1, 2, 3, 4].map((seed) => uniform(seed + size, count, -2, 2)) as [
          Float32Array,
          Float32Array,
          Float32Array,
          Float32Array,
        ];
        // The first key always counts, others at random.
        const draws = uniform(length, batch * length);
        const mask = Int32Array.from(draws, (u, i) => (i % length === 0 || u > -0.4 ? 1 : 0));
        const expected = reference(q, k, v, dy, mask, sizes);
        const [tq, tk, tv] = [q, k, v].map((x) => tensor(gpu(), x, shape, { requiresGrad: true }));
        const tm = tensor(gpu(), mask, [batch, length], { dtype: 'i32' });
        const y = attention(tq!, tk!, tv!, tm, { form });
        backward([y], [NDArray.from(gpu(), dy, shape)]);
        expectClose(await y.data(), expected.y, 1e-5, 1e-5);
        const { probabilities } = noGrad(() => attentionWithProbabilities(tq!, tk!, tv!, tm));
        expectClose(await probabilities.data(), expected.probabilities, 3e-5, 1e-6);
        expectClose(await tq!.grad!.read(), expected.dq, 1e-5, 2e-5);
        expectClose(await tk!.grad!.read(), expected.dk, 1e-5, 4e-5);
        expectClose(await tv!.grad!.read(), expected.dv, 1e-5, 4e-5);
      });
    }
  }

  it('has the right gradients without a mask, and through the probabilities', async () => {
    const inputs = [1, 2, 3].map((seed) => randomInput(seed, [1, 2, 6, 5]));
    await gradcheck(gpu(), inputs, (q, k, v) => attention(q!, k!, v!));
    await gradcheck(gpu(), inputs.slice(0, 2), (q, k) => attentionWithProbabilities(q!, k!, k!).probabilities);
  });

  it('gives zeros, not NaN, to queries whose keys are all masked', async () => {
    const shape = [2, 1, 6, 8];
    const [q, k, v] = [1, 2, 3].map((seed) => tensor(gpu(), uniform(seed, 96, -9, 9), shape, { requiresGrad: true }));
    const mask = tensor(gpu(), [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0], [2, 6], { dtype: 'i32' });
    for (const form of forms()) {
      for (const x of [q, k, v]) {
        x!.grad?.dispose();
        x!.grad = undefined;
      }
      const y = attention(q!, k!, v!, mask, { form });
      backward([y], [NDArray.from(gpu(), uniform(5, 96), shape)]);
      expect([...(await y.data())].slice(0, 48)).toEqual(new Array(48).fill(0));
      for (const x of [q, k, v]) {
        const grad = [...(await x!.grad!.read())];
        expect(grad.slice(0, 48).map(Math.abs)).toEqual(new Array(48).fill(0));
        expect(grad.every(Number.isFinite)).toBe(true);
      }
    }
  });

  it('ignores what masked keys and values hold', async () => {
    const shape = [1, 1, 5, 4];
    const mask = tensor(gpu(), [1, 1, 1, 0, 0], [1, 5], { dtype: 'i32' });
    const results = [1, 1e6].map((size) => {
      const [k, v] = [2, 3].map((seed) => uniform(seed, 20).map((value, i) => (i < 12 ? value : value * size)));
      return attention(tensor(gpu(), uniform(1, 20), shape), tensor(gpu(), k!, shape), tensor(gpu(), v!, shape), mask);
    });
    expect(await results[0]!.data()).toEqual(await results[1]!.data());
  });

  it('stays finite for scores far beyond the range of exp', async () => {
    const shape = [1, 1, 12, 8];
    const [q, k, v] = [1, 2, 3].map((seed) =>
      tensor(gpu(), uniform(seed, 96, seed < 3 ? -200 : -1, seed < 3 ? 200 : 1), shape, { requiresGrad: true }),
    );
    const y = attention(q!, k!, v!);
    backward([y], [NDArray.from(gpu(), uniform(5, 96), shape)]);
    for (const values of [await y.data(), await q!.grad!.read(), await k!.grad!.read(), await v!.grad!.read()]) {
      expect([...values].every(Number.isFinite)).toBe(true);
    }
    expect(Math.max(...(await y.data()))).toBeLessThanOrEqual(1.0001);
  });

  it('drops and rescales the same probabilities in forward and backward, by the seed', async () => {
    const [length, p] = [16, 0.25];
    const shape = [4, 4, length, length];
    const [q, k] = [1, 2].map((seed) => tensor(gpu(), uniform(seed, 16 * length * length), shape));
    // With the identity for values the output is the matrix of dropped probabilities.
    const identity = Float32Array.from({ length: 16 * length * length }, (_, i) =>
      Math.floor(i / length) % length === i % length ? 1 : 0,
    );
    const v = tensor(gpu(), identity, shape);
    const full = await attention(q!, k!, v).data();
    const dropped = await attention(q!, k!, v, undefined, { dropout: { p, seed: 7 } }).data();
    let kept = 0;
    for (let i = 0; i < full.length; i++) {
      if (dropped[i] === 0) continue;
      kept += 1;
      expect(Math.abs(dropped[i]! * (1 - p) - full[i]!)).toBeLessThan(1e-6);
    }
    expect(kept / full.length).toBeGreaterThan(0.72);
    expect(kept / full.length).toBeLessThan(0.78);
    expect(await attention(q!, k!, v, undefined, { dropout: { p, seed: 7 } }).data()).toEqual(dropped);
    expect(await attention(q!, k!, v, undefined, { dropout: { p, seed: 8 } }).data()).not.toEqual(dropped);
    const inputs = [1, 2, 3].map((seed) => randomInput(seed, [1, 2, 6, 4]));
    for (const form of forms()) {
      expectClose(await attention(q!, k!, v, undefined, { dropout: { p, seed: 7 }, form }).data(), dropped, 1e-5, 1e-6);
      await gradcheck(gpu(), inputs, (a, b, c) => attention(a!, b!, c!, undefined, { dropout: { p, seed: 3 }, form }));
    }
  });

  it('gives the same bits in every run', async () => {
    const shape = [1, 2, 40, 16];
    const results = await Promise.all(
      [0, 1].map(async () => {
        const [q, k, v] = [1, 2, 3].map((seed) => tensor(gpu(), uniform(seed, 1280), shape, { requiresGrad: true }));
        const y = attention(q!, k!, v!);
        backward([y], [NDArray.from(gpu(), uniform(5, 1280), shape)]);
        return [await y.data(), await q!.grad!.read(), await k!.grad!.read(), await v!.grad!.read()];
      }),
    );
    expect(results[0]).toEqual(results[1]);
  });

  it('refuses operands and masks that do not fit', () => {
    const x = tensor(gpu(), uniform(1, 24), [1, 2, 3, 4]);
    expect(() => attention(x, x, tensor(gpu(), uniform(1, 24), [2, 1, 3, 4]))).toThrow(/one shape/);
    expect(() => attention(x, x, x, tensor(gpu(), [1, 1, 1], [1, 3]))).toThrow(/i32 mask/);
    const wide = tensor(gpu(), uniform(1, 130), [1, 1, 1, 130]);
    expect(() => attention(wide, wide, wide, undefined, { form: 'fused' })).toThrow(/up to 128/);
    expect(() => attention(x, x, x, undefined, { dropout: { p: 1, seed: 1 } })).toThrow(/\[0, 1\)/);
  });
});
