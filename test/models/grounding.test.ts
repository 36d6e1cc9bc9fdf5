import { expect, it } from 'vitest';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { GroundingModel } from '../../src/models/grounding.ts';
import { contrastiveObjective, defaultObjective, type PairBatch } from '../../src/models/objective.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { LossScale } from '../../src/nn/lossScale.ts';
import { useGpu } from '../support/gpu.ts';
import { uniform } from '../support/numeric.ts';

const gpu = useGpu();

const config = {
  visual: {
    inChannels: 3,
    stem: { channels: 8, kernel: 7, stride: 2, maxPool: true },
    stages: [
      { blocks: 1, width: 4, stride: 1 },
      { blocks: 2, width: 8, stride: 2 },
    ],
  },
  localStage: 2,
  text: {
    vocabulary: 50,
    hidden: 32,
    layers: 2,
    heads: 2,
    intermediate: 48,
    maxPositions: 12,
    tokenTypes: 2,
    dropout: 0.1,
    eps: 1e-12,
    pooler: false,
  },
  dimension: 24,
} as const;

function pairs(batch: number): PairBatch {
  const ids = Array.from({ length: batch * 12 }, (_, i) => (i % 12 < 9 ? 1 + ((i * 7) % 49) : 0));
  const units = Array.from({ length: batch * 12 }, (_, i) => (i % 12 < 9 ? Math.floor((i % 12) / 3) : -1));
  const whole = { dtype: 'i32' } as const;
  return {
    image: tensor(gpu(), uniform(1, batch * 32 * 32), [batch, 32, 32, 1]),
    ids: tensor(gpu(), ids, [batch, 12], whole),
    mask: tensor(
      gpu(),
      ids.map((id) => (id > 0 ? 1 : 0)),
      [batch, 12],
      whole,
    ),
    sentences: { ids: tensor(gpu(), units, [batch, 12], whole), count: 3 },
  };
}

async function gradients(dtype: 'f32' | 'f16') {
  const model = new GroundingModel(config);
  model.dtype = dtype;
  const arena = new ParameterArena(gpu(), model, { seed: 4 });
  const scale = new LossScale(gpu(), { initial: 1024 });
  const { total } = contrastiveObjective(model, pairs(4), defaultObjective);
  backward([total], [scale.upstream()]);
  return { loss: await total.item(), gradients: await arena.gradients() };
}

it('has nearly the same loss and gradients when its towers keep f16', async (context) => {
  if (!gpu().device.features.has('shader-f16')) return context.skip('This device has no shader-f16.');
  const [half, full] = [await gradients('f16'), await gradients('f32')];
  expect(Math.abs(half.loss / full.loss - 1)).toBeLessThan(2e-3);
  for (const [name, { data }] of full.gradients) {
    const own = half.gradients.get(name)!.data;
    let [dot, a, b] = [0, 0, 0];
    for (const [i, value] of data.entries()) {
      dot += value * own[i]!;
      a += value * value;
      b += own[i]! * own[i]!;
    }
    // The gradient of a key's bias is zero analytically: nothing but rounding.
    if (name.endsWith('key.bias')) continue;
    // Where values nearly tie, rounding to f16 makes ReLU and maximum pooling choose otherwise.
    expect(dot / Math.sqrt(a * b), `direction of the gradient of ${name}`).toBeGreaterThan(0.98);
    expect(Math.abs(Math.sqrt(b / a) - 1), `size of the gradient of ${name}`).toBeLessThan(0.05);
  }
});
