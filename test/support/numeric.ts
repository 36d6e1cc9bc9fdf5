import { expect } from 'vitest';
import { backward, noGrad } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import type { Shape } from '../../src/kernels/shape.ts';
import { numel } from '../../src/kernels/shape.ts';

/** Seeded uniform numbers in [low, high). */
export function uniform(seed: number, count: number, low = -1, high = 1): Float32Array {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return Float32Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return low + (high - low) * (((t ^ (t >>> 14)) >>> 0) / 4294967296);
  });
}

/** Fails with the worst element, its index and both values unless |got - expected| <= atol + rtol |expected| everywhere. */
export function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, rtol = 1e-5, atol = 1e-6): void {
  expect(got.length).toBe(expected.length);
  let worst = { excess: 0, index: -1 };
  for (let i = 0; i < expected.length; i++) {
    const [g, e] = [got[i] ?? Number.NaN, expected[i] ?? Number.NaN];
    const error = Object.is(g, e) || g === e ? 0 : Math.abs(g - e);
    const excess = error === 0 ? 0 : error / (atol + rtol * Math.abs(e));
    if (!(excess <= Math.max(1, worst.excess))) worst = { excess: Number.isNaN(excess) ? Infinity : excess, index: i };
  }
  if (worst.index >= 0) {
    const i = worst.index;
    expect.fail(
      `element ${i}: got ${got[i]}, expected ${expected[i]} (${worst.excess.toPrecision(3)} times the tolerance)`,
    );
  }
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** A differentiable input of `gradcheck`: values and shape. */
export interface GradInput {
  readonly shape: Shape;
  readonly values: Float32Array;
}

/** Random input for `gradcheck`. */
export function randomInput(seed: number, shape: Shape, low = -1, high = 1): GradInput {
  return { shape, values: uniform(seed, numel(shape), low, high) };
}

/**
 * Compares the gradients of `sum(upstream * op(inputs))` with central differences along random directions.
 * Finite differences in f32 carry noise, hence the wide default tolerance; fixtures check the digits.
 */
export async function gradcheck(
  gpu: Gpu,
  inputs: readonly GradInput[],
  op: (...tensors: readonly Tensor[]) => Tensor,
  options: { readonly step?: number; readonly tolerance?: number; readonly directions?: number } = {},
): Promise<void> {
  const { step = 1e-2, tolerance = 2e-2, directions = 2 } = options;
  const leaves = inputs.map(({ values, shape }) => tensor(gpu, values, shape, { requiresGrad: true }));
  const output = op(...leaves);
  const upstream = uniform(97, output.size);
  backward([output], [NDArray.from(gpu, upstream, output.shape)]);
  const evaluate = async (moved: readonly Float32Array[]): Promise<number> => {
    const result = noGrad(() => op(...moved.map((values, i) => tensor(gpu, values, inputs[i]?.shape ?? []))));
    return dot(await result.data(), upstream);
  };
  for (const [which, leaf] of leaves.entries()) {
    expect(leaf.grad, `input ${which} has no gradient`).toBeDefined();
    const grad = await leaf.grad!.read();
    for (let direction = 0; direction < directions; direction++) {
      const towards = uniform(1000 * which + direction + 5, leaf.size);
      const at = (sign: number): Float32Array[] =>
        inputs.map(({ values }, i) =>
          i === which ? values.map((v, j) => v + sign * step * (towards[j] ?? 0)) : values,
        );
      const numeric = ((await evaluate(at(1))) - (await evaluate(at(-1)))) / (2 * step);
      const analytic = dot(grad, towards);
      const size = Math.sqrt(dot(grad, grad)) + 0.05;
      expect(Math.abs(numeric - analytic), `input ${which}: numeric ${numeric}, analytic ${analytic}`).toBeLessThan(
        tolerance * size,
      );
    }
  }
}
