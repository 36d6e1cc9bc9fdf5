import { z } from 'zod';
import { cosineSimilarity } from '../../autograd/ops/cosine.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import type { Grid } from '../../eval/maps.ts';
import { resizeBilinear } from '../../eval/maps.ts';
import { countOverThresholds, meanOverThresholds, overlap } from '../../eval/metrics.ts';
import type { CaseContext } from '../caseContext.ts';
import type { CaseRunner, CaseRunners } from './operator.ts';
import { attributesOf, Inputs } from './operator.ts';

const attributes = z.object({ thresholds: z.array(z.number()).min(1) });

/** Cosine of every region of `grid [height, width, features]` with `phrase [features]`, from the engine. */
async function similarityGrid(context: CaseContext): Promise<Grid> {
  const similarity: Tensor = context.gpu.scope(() => {
    const inputs = new Inputs(context);
    return cosineSimilarity(inputs.get('grid'), inputs.get('phrase'), 1e-8);
  });
  const [height = 0, width = 0] = similarity.shape;
  try {
    return { width, height, data: Float32Array.from(await similarity.data()) };
  } finally {
    similarity.dispose();
  }
}

const localise: CaseRunner = async (context) => {
  const { thresholds } = attributesOf(context, attributes);
  const truth = context.input('gt');
  const [height = 0, width = 0] = truth.shape;
  const mask = { width, height, data: Uint8Array.from(truth.data, (value) => (value === 0 ? 0 : 1)) };

  const grid = await similarityGrid(context);
  context.output('grid_similarity', { shape: [grid.height, grid.width], data: grid.data });
  const map = resizeBilinear(grid, mask);
  context.output('map', { shape: [height, width], data: map.data });

  const counts = countOverThresholds(map, mask, thresholds);
  const { predicted, intersection, groundTruth } = counts;
  const union = predicted.map((count, k) => count + groundTruth - (intersection[k] ?? 0));
  const { iou, dice } = overlap(counts);
  const perThreshold = { predicted, intersection, union, iou: iou.map(zeroWhenEmpty), dice: dice.map(zeroWhenEmpty) };
  for (const [name, data] of Object.entries(perThreshold)) context.output(name, { shape: [thresholds.length], data });
  context.output('mean_iou', { shape: [], data: [meanOverThresholds(iou, 'zero')] });
  context.output('mean_dice', { shape: [], data: [meanOverThresholds(dice, 'zero')] });
};

/** The overlap of nothing with a mask counts 0 here. */
function zeroWhenEmpty(overlap: number): number {
  return Number.isNaN(overlap) ? 0 : overlap;
}

export const runners: CaseRunners = { localise };
