import { describe, expect, it } from 'vitest';
import { backward } from '../../src/autograd/tape.ts';
import { BertLayer } from '../../src/models/bert.ts';
import { GroundingModel } from '../../src/models/grounding.ts';
import { contrastiveObjective, defaultObjective } from '../../src/models/objective.ts';
import { Bottleneck } from '../../src/models/resnet.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { Dropout } from '../../src/nn/layers.ts';
import { seedModules } from '../../src/nn/module.ts';
import { randomPlace, repeatPass } from '../../src/nn/repeat.ts';
import { useGpu } from '../support/gpu.ts';
import { expectSame, randomPairs, smallGrounding } from '../support/pairs.ts';

const gpu = useGpu();

async function pass(checkpointed: boolean, training: boolean, dtype: 'f32' | 'f16') {
  const model = new GroundingModel(smallGrounding(0.3)).setTraining(training);
  model.dtype = dtype;
  for (const [, module] of model.namedModules()) {
    module.checkpointed = checkpointed && (module instanceof Bottleneck || module instanceof BertLayer);
  }
  using arena = new ParameterArena(gpu(), model, { seed: 3 });
  seedModules(model, 5, 2);
  let tapeBytes = 0;
  gpu().scope(() => {
    const before = gpu().memoryReport().liveBytes;
    const { total } = contrastiveObjective(model, randomPairs(gpu(), 4, 17), defaultObjective);
    tapeBytes = gpu().memoryReport().liveBytes - before;
    backward([total]);
  });
  const draws = [...randomPlace(model).values()];
  const gradients = new Map([...(await arena.gradients())].map(([name, { data }]) => [name, data]));
  return { gradients, state: await arena.state(), draws, tapeBytes };
}

describe('a checkpointed block', () => {
  for (const [training, dtype] of [
    [true, 'f32'],
    [false, 'f32'],
    [true, 'f16'],
  ] as const) {
    const name = `${training ? 'training' : 'evaluation'} and ${dtype}`;
    it(`gives the gradients and statistics of a plain one in ${name}, with less kept`, async () => {
      const [plain, checkpointed] = [await pass(false, training, dtype), await pass(true, training, dtype)];
      // Gradients that meet at a block's input are rounded to its type in another order.
      expectSame(checkpointed.gradients, plain.gradients, dtype === 'f16' ? 1e-2 : 2e-5);
      for (const part of ['state', 'draws'] as const) expect(checkpointed[part]).toEqual(plain[part]);
      expect(checkpointed.tapeBytes).toBeLessThan(0.7 * plain.tapeBytes);
    });
  }
});

describe('repeatPass', () => {
  it('draws the masks of the first pass, and goes on behind them', () => {
    const dropout = new Dropout(0.5);
    seedModules(dropout, 1);
    dropout.nextSeed();
    const place = randomPlace(dropout);
    const first = [dropout.nextSeed()(), dropout.nextSeed()()];
    const again = repeatPass(dropout, place, () => [dropout.nextSeed()(), dropout.nextSeed()()]);
    expect(again).toEqual(first);
    expect(first).not.toContain(dropout.nextSeed()());
    expect(() =>
      repeatPass(dropout, place, () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect([dropout.draws, dropout.repeating]).toEqual([4, false]);
  });
});
