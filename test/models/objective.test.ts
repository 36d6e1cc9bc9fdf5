import { describe, expect, it } from 'vitest';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import type { GroundingConfig } from '../../src/models/grounding.ts';
import { GroundingModel } from '../../src/models/grounding.ts';
import { contrastiveObjective, defaultObjective, objectives, type PairBatch } from '../../src/models/objective.ts';
import { resNetConfig } from '../../src/models/resnet.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { useGpu } from '../support/gpu.ts';
import { uniform } from '../support/numeric.ts';

const gpu = useGpu();

const config: GroundingConfig = {
  visual: resNetConfig([1, 1, 1, 1], 4),
  localStage: 3,
  text: {
    vocabulary: 20,
    hidden: 8,
    layers: 1,
    heads: 2,
    intermediate: 8,
    maxPositions: 16,
    tokenTypes: 2,
    dropout: 0,
    eps: 1e-12,
    pooler: false,
  },
  dimension: 12,
};

const [rows, tokens, size] = [3, 6, 32];

function batch(): PairBatch {
  const ids = (values: readonly number[], shape: readonly number[]) => tensor(gpu(), values, shape, { dtype: 'i32' });
  const repeat = (values: readonly number[]): number[] => Array.from({ length: rows }, () => values).flat();
  return {
    image: tensor(gpu(), uniform(3, rows * size * size), [rows, size, size, 1]),
    ids: ids(
      Array.from({ length: rows * tokens }, (_, i) => 1 + ((i * 7) % 19)),
      [rows, tokens],
    ),
    mask: ids(repeat([1, 1, 1, 1, 1, 0]), [rows, tokens]),
    sentences: { ids: ids(repeat([-1, 0, 0, 1, -1, -1]), [rows, tokens]), count: 2 },
    words: { ids: ids(repeat([-1, 0, 1, 2, -1, -1]), [rows, tokens]), count: 3 },
    duplicates: ids([0, 1, 0, 1, 0, 0, 0, 0, 0], [rows, rows]),
  };
}

describe('contrastiveObjective', () => {
  for (const objective of objectives) {
    it(`gives every parameter that ${objective} uses a finite gradient`, async () => {
      const model = new GroundingModel(config);
      using arena = new ParameterArena(gpu(), model, { seed: 1 });
      const losses = contrastiveObjective(model, batch(), { ...defaultObjective, objective });
      backward([losses.total]);
      const unused = objective === 'global' ? ['local_embedder.weight'] : [];
      for (const [name, { data }] of await arena.gradients()) {
        expect(data.every(Number.isFinite), name).toBe(true);
        // A shift of all keys changes no attention.
        if (name.endsWith('key.bias') || unused.includes(name)) continue;
        expect(
          data.some((value) => value !== 0),
          name,
        ).toBe(true);
      }
      expect(losses.localSimilarity === undefined).toBe(objective === 'global');
    });
  }

  it('is the weighted sum of its four parts', async () => {
    const model = new GroundingModel(config);
    using _arena = new ParameterArena(gpu(), model, { seed: 1 });
    const weighted = { ...defaultObjective, globalWeight: 0.5, localWeight: 2 };
    const { total, globalVt, globalTv, localVt, localTv } = contrastiveObjective(model, batch(), weighted);
    const parts = await Promise.all([globalVt, globalTv, localVt!, localTv!].map((part) => part.item()));
    expect(await total.item()).toBeCloseTo(0.5 * (parts[0]! + parts[1]!) + 2 * (parts[2]! + parts[3]!), 4);
  });

  it('does not count equal reports as negatives when duplicates are masked', async () => {
    const model = new GroundingModel(config);
    using _arena = new ParameterArena(gpu(), model, { seed: 1 });
    const keep = await contrastiveObjective(model, batch(), defaultObjective).globalVt.item();
    const mask = await contrastiveObjective(model, batch(), {
      ...defaultObjective,
      duplicates: 'mask',
    }).globalVt.item();
    expect(mask).toBeLessThan(keep);
  });

  it('has the parameters under their published names', () => {
    const names = [...new GroundingModel(config).namedParameters()].map(([name]) => name);
    for (const name of [
      'visual.conv1.weight',
      'visual.layer1.0.downsample.0.weight',
      'visual.layer4.0.bn3.bias',
      'bert.embeddings.LayerNorm.weight',
      'bert.encoder.layer.0.attention.self.query.bias',
      'bert.encoder.layer.0.output.dense.weight',
      'global_embedder.bias',
      'local_embedder.weight',
    ]) {
      expect(names).toContain(name);
    }
  });
});
