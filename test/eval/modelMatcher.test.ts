import { describe, expect, it } from 'vitest';
import { noGrad } from '../../src/autograd/tape.ts';
import { createBatchSource } from '../../src/data/batches.ts';
import { phantomDataset } from '../../src/data/phantom/dataset.ts';
import { phantomVocabulary } from '../../src/data/phantom/vocabulary.ts';
import { createTokenizer } from '../../src/data/text/tokenizer.ts';
import { ModelMatcher, softMean } from '../../src/eval/modelMatcher.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { GroundingModel } from '../../src/models/grounding.ts';
import { contrastiveObjective, type ObjectiveConfig } from '../../src/models/objective.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { uploadBatch } from '../../src/train/upload.ts';
import { useGpu } from '../support/gpu.ts';
import { tinyConfig } from '../support/tinyRun.ts';

const vocabulary = phantomVocabulary();
const tokenizer = createTokenizer({ vocabulary, lowerCase: true });
const dataset = phantomDataset({ count: 12, size: 32 });
const config = tinyConfig({ model: { text: { vocabulary: vocabulary.length } } });
const studies = dataset.studies.filter(({ split }) => split === 'train').slice(0, 3);

/** Similarities that the training objective compares for the same images and reports, `[image][report]`. */
async function trained(gpu: Gpu, model: GroundingModel, objective: ObjectiveConfig) {
  const source = createBatchSource(dataset, tokenizer, {
    ...{ split: 'train', batchSize: 3, imageSize: 32, maxTokens: config.maxTokens, seed: 0, shuffle: false },
    maxSentences: config.maxSentences ?? 99,
  });
  const batch = await source.batch(0, 0);
  expect(batch.studyIds).toEqual(studies.map(({ id }) => id));
  const { globalSimilarity, localSimilarity } = gpu.scope(() =>
    noGrad(() => {
      const losses = contrastiveObjective(model, uploadBatch(gpu, batch, true), objective);
      return { globalSimilarity: losses.globalSimilarity, localSimilarity: losses.localSimilarity };
    }),
  );
  const [global, local] = [await globalSimilarity.data(), await localSimilarity?.data()];
  globalSimilarity.dispose();
  localSimilarity?.dispose();
  return { global: [...global], local: local && [...local] };
}

describe('ModelMatcher', () => {
  const gpu = useGpu();

  it.each(['sentence-local', 'word-local', 'sentence-mean', 'global'] as const)(
    'gives the similarities that the objective %s compares',
    async (name) => {
      const model = new GroundingModel(config.model);
      const arena = new ParameterArena(gpu(), model, { seed: 3 });
      model.setTraining(false);
      // Length normalisation, as the matcher does not favour long reports.
      const objective: ObjectiveConfig = { ...config.objective, objective: name, aggregation: 'mean' };
      const expected = await trained(gpu(), model, objective);
      const matcher = new ModelMatcher(gpu(), model, tokenizer, { ...config, objective });
      const reports = studies.map(({ report }) => report);
      const matches = [];
      for (const { id } of studies)
        matches.push(...(await matcher.match(await dataset.loadImage(id), reports, 'report')));
      for (const [i, { global, local }] of matches.entries()) {
        expect(global).toBeCloseTo(expected.global[i]!, 4);
        if (expected.local) expect(local).toBeCloseTo(expected.local[i]!, 4);
        else expect(local).toBeNaN();
      }
      expect(matches).toHaveLength(9);
      expect(await matcher.match(await dataset.loadImage(studies[0]!.id), [], 'phrase')).toEqual([]);
      arena.dispose();
    },
  );
});

describe('softMean', () => {
  it('is the value itself for one, and lies between mean and maximum for several', () => {
    expect(softMean([0.3], 0.2)).toBeCloseTo(0.3, 12);
    // 0.5 log((e^2 + e^0) / 2)
    expect(softMean([1, 0], 0.5)).toBeCloseTo(0.5 * Math.log((Math.exp(2) + 1) / 2), 12);
  });
});
