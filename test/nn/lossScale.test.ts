import { expect, it } from 'vitest';
import { mul } from '../../src/autograd/ops/elementwise.ts';
import { sum } from '../../src/autograd/ops/reductions.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { readGradNorm } from '../../src/nn/clip.ts';
import { constant } from '../../src/nn/init.ts';
import { LossScale } from '../../src/nn/lossScale.ts';
import { Module, Parameter } from '../../src/nn/module.ts';
import { sgd } from '../../src/nn/optimizer.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();

class Weights extends Module {
  readonly w = new Parameter([4], constant(1));
}

/** One step of gradient descent on `sum(slope * w)`, whose gradient is `slope`. */
function descend() {
  const model = new Weights();
  const arena = new ParameterArena(gpu(), model);
  const optimizer = sgd(arena);
  const scale = new LossScale(gpu(), { initial: 1024, growAfter: 2 });
  const step = async (slope: readonly number[], maxNorm = 0) => {
    arena.zeroGrad();
    backward([sum(mul(model.w.tensor, tensor(gpu(), slope, [4])), null)], [scale.upstream()]);
    const clip = scale.clipGradNorm(arena, maxNorm);
    optimizer.step({ learningRate: 1, clip });
    return { ...(await readGradNorm(clip)), ...(await scale.state()), weights: [...(await model.w.tensor.data())] };
  };
  return { step, scale };
}

it('moves the parameters as without a scale', async () => {
  const { step } = descend();
  const { weights, norm, nonFinite } = await step([0.5, 0.25, -1, 2]);
  expect(weights).toEqual([0.5, 0.75, 2, -1]);
  expect(norm).toBeCloseTo(Math.hypot(0.5, 0.25, 1, 2), 5);
  expect(nonFinite).toBe(0);
});

it('clips the true norm', async () => {
  const { step } = descend();
  const { weights } = await step([3, 4, 0, 0], 1);
  for (const [i, expected] of [0.4, 0.2, 1, 1].entries()) expect(weights[i]).toBeCloseTo(expected, 5);
});

it('halves after an overflow, which changes no parameter, and doubles after good steps in a row', async () => {
  const { step } = descend();
  const overflow = await step([3e38, 0, 0, 0]);
  expect(overflow).toMatchObject({ weights: [1, 1, 1, 1], nonFinite: 1, scale: 512, goodSteps: 0 });
  expect(await step([0, 0, 0, 1])).toMatchObject({ weights: [1, 1, 1, 0], scale: 512, goodSteps: 1 });
  expect(await step([0, 0, 0, 1])).toMatchObject({ weights: [1, 1, 1, -1], scale: 1024, goodSteps: 0 });
});

it('continues from a saved state', async () => {
  const { step, scale } = descend();
  scale.load({ scale: 8, goodSteps: 1 });
  expect(await step([0, 0, 0, 1])).toMatchObject({ scale: 16, goodSteps: 0, weights: [1, 1, 1, 0] });
});
