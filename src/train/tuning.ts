import type { Gpu } from '../gpu/gpu.ts';
import { deviceLike, standInGpu } from '../gpu/standIn.ts';
import { type TuningRequest, tunedPlans } from '../kernels/tuning/plans.ts';
import type { RunConfig } from './config.ts';
import { emptyBatch } from './plan.ts';
import { Trainer } from './trainer.ts';

/** Room for sentences that batches of usual reports take; `Trainer` rounds it up to a multiple of eight. */
const usualSentences = [8, 16];

/**
 * All matrix products of a training step and a validation step with this configuration on a device like `gpu`, each key
 * once, known or not. Nothing is run: a step is recorded on a device that does nothing.
 * @param sentences of the longest report of a batch; a product may depend on it
 */
export async function stepProducts(
  gpu: Gpu,
  config: RunConfig,
  sentences: readonly number[] = usualSentences,
): Promise<TuningRequest[]> {
  using standIn = standInGpu(deviceLike(gpu));
  const plans = tunedPlans(standIn);
  plans.mode = 'on';
  const counts = new Set(sentences.map((count) => Math.min(count, config.maxSentences ?? count)));
  for (const count of counts) {
    const batch = emptyBatch(config, count);
    const trainer = new Trainer(standIn, config, 1, 1, { initialize: false });
    await trainer.step(batch, 0);
    await trainer.evaluate(batch);
    trainer.dispose();
  }
  return [...plans.requests.values()];
}
