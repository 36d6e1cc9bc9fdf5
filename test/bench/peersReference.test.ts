import { describe, expect, it } from 'vitest';
import { checkResults } from '../../bench/peers/check.ts';
import { channelsFirst, channelsLast, permute, uniform } from '../../bench/peers/host.ts';
import { maxSamples, sample } from '../../bench/peers/protocol.ts';
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../../bench/peers/reference/conv.ts';
import { attention, matmul } from '../../bench/peers/reference/matrix.ts';
import { normalize } from '../../bench/peers/reference/norm.ts';
import { ReferenceTape, Value } from '../../bench/peers/reference/tape.ts';

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0);

/** Central differences of `dot(f(x), dy)` at a few elements against `gradient`. */
function expectGradient(
  x: Float64Array,
  gradient: Float64Array,
  f: (x: Float64Array) => ArrayLike<number>,
  dy: ArrayLike<number>,
) {
  for (let i = 0; i < x.length; i += Math.ceil(x.length / 7)) {
    const moved = (by: number): number => dot(f(x.with(i, x[i]! + by)), dy);
    expect(gradient[i]).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 6);
  }
}

const values = (count: number, seed: number): Float64Array => Float64Array.from(uniform([count], seed).data);

describe('the references of the peers', () => {
  it('multiply stored transposes like the matrices they stand for', () => {
    const shape = { m: 2, k: 3, n: 2 };
    const product = [7, 2, 16, 5];
    expect([...matmul([1, 2, 3, 4, 5, 6], [1, 0, 0, 1, 2, 0], shape)]).toEqual(product);
    const turned = { ...shape, transposeA: true, transposeB: true };
    expect([...matmul([1, 4, 2, 5, 3, 6], [1, 0, 2, 0, 1, 0], turned)]).toEqual(product);
  });

  it('differentiate a strided convolution', () => {
    const shape = { batch: 2, size: 5, channels: 2, filters: 3, kernel: 3, stride: 2, padding: 1 };
    const [x, w, dy] = [values(100, 1), values(54, 2), values(54, 3)];
    expectGradient(x, conv2dInputGrad(dy, w, shape), (image) => conv2d(image, w, shape), dy);
    expectGradient(w, conv2dWeightGrad(x, dy, shape), (weight) => conv2d(x, weight, shape), dy);
  });

  it.each(['rows', 'features'] as const)('differentiate a normalisation over the %s', (over) => {
    const [x, weight, bias, dy] = [values(24, 1), values(4, 2), values(4, 3), values(24, 4)];
    const { dx, dWeight, dBias } = normalize(x, weight, bias, over).grad(dy);
    expectGradient(x, dx, (given) => normalize(given, weight, bias, over).y, dy);
    expectGradient(weight, dWeight, (given) => normalize(x, given, bias, over).y, dy);
    expectGradient(bias, dBias, (given) => normalize(x, weight, given, over).y, dy);
  });

  it('differentiate attention', () => {
    const shape = { heads: 2, tokens: 3, depth: 4 };
    const [q, k, v, dy] = [values(24, 1), values(24, 2), values(24, 3), values(24, 4)];
    const { dq, dk, dv } = attention([q, k, v], shape).grad(dy);
    expectGradient(q, dq, (given) => attention([given, k, v], shape).y, dy);
    expectGradient(k, dk, (given) => attention([q, given, v], shape).y, dy);
    expectGradient(v, dv, (given) => attention([q, k, given], shape).y, dy);
  });

  it('differentiate a network through the tape', () => {
    const lossOf = (weight: Float64Array) => {
      const w = new Value([3, 1, 1, 2], weight);
      const fc = new Value([2, 3], values(6, 5));
      const b = new Value([2], [0.1, -0.1]);
      const tape = new ReferenceTape(new Map(Object.entries({ 'c.weight': w, 'fc.weight': fc, 'fc.bias': b })));
      const { conv, relu, globalMean } = tape.network(true);
      const features = globalMean(
        relu(conv(new Value([2, 2, 2, 2], values(16, 1)), 'c.weight', { stride: 1, padding: 0 })),
      );
      const loss = tape.crossEntropy(tape.linear(features, 'fc'), [0, 1]);
      tape.backward();
      return { loss, grad: w.grad };
    };
    const start = values(6, 2);
    expectGradient(start, lossOf(start).grad, (weight) => [lossOf(weight).loss], [1]);
  });
});

describe('layouts and samples', () => {
  it('turn channels first and back', () => {
    const x = uniform([2, 3, 4, 5], 1);
    expect(channelsFirst(x).shape).toEqual([2, 5, 3, 4]);
    expect(channelsLast(channelsFirst(x))).toEqual(x);
    expect(permute({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) }, [1, 0]).data).toEqual(
      Float32Array.of(1, 4, 2, 5, 3, 6),
    );
  });

  it('keep all of a small result, and a part of a large one', () => {
    expect(sample([1, 2, 3])).toEqual({ length: 3, samples: Float64Array.of(1, 2, 3) });
    const large = sample(new Float32Array(3 * maxSamples));
    expect(large.length).toBe(3 * maxSamples);
    expect(large.samples.length).toBe(maxSamples);
  });
});

describe('the check against the reference', () => {
  const expected = { y: sample([1, -4, 2]), dx: sample([0.5]) };
  const check = (actual: Record<string, number[]>) =>
    checkResults(Object.fromEntries(Object.entries(actual).map(([name, all]) => [name, sample(all)])), expected, 1e-3);

  it('passes rounding and reports the largest difference as a share of the largest value', () => {
    const { error, failure } = check({ y: [1.002, -4, 2], dx: [0.5] });
    expect(failure).toBeUndefined();
    expect(error).toBeCloseTo(0.0005, 10);
  });

  it.each([
    ['a wrong value', { y: [1, 4, 2], dx: [0.5] }, /"y" is wrong: sample 1 is 4, expected -4/],
    ['a value that is no number', { y: [1, Number.NaN, 2], dx: [0.5] }, /sample 1 is NaN/],
    ['a missing result', { y: [1, -4, 2] }, /"dx" is missing/],
    ['a result of another size', { y: [1, -4], dx: [0.5] }, /"y" has 2 elements, expected 3/],
  ])('rejects %s', (_, actual, message) => {
    expect(check(actual as Record<string, number[]>).failure).toMatch(message);
  });
});
