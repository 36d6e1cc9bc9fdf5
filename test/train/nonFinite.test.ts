import { expect, it } from 'vitest';
import { sqrt } from '../../src/autograd/ops/elementwise.ts';
import { sum } from '../../src/autograd/ops/reductions.ts';
import { backward } from '../../src/autograd/tape.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { constant } from '../../src/nn/init.ts';
import { Module, Parameter } from '../../src/nn/module.ts';
import { findNonFinite, findNonFiniteGradient } from '../../src/train/nonFinite.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();

class Roots extends Module {
  readonly safe = new Parameter([2], constant(4));
  readonly steep = new Parameter([3], constant(0));
}

it('names the first bad gradient behind a forward pass that is finite', async () => {
  const model = new Roots();
  using arena = new ParameterArena(gpu(), model);
  const loss = (parameter: Parameter) => sum(sqrt(parameter.tensor), [0]);
  // The square root of 0 is 0, its slope is not finite.
  const gradient = (parameter: Parameter) => findNonFiniteGradient(arena, () => backward([loss(parameter)]));
  const before = gpu().memoryReport().liveBuffers;
  expect(await findNonFinite(gpu(), () => [loss(model.steep)], model)).toBeUndefined();
  expect(await gradient(model.steep)).toBe('the gradient of steep has 3 of them');
  expect(await gradient(model.safe)).toBeUndefined();
  expect(gpu().memoryReport().liveBuffers, 'nothing is left').toBe(before);
});
