import { describe, expect, it } from 'vitest';
import { tunedPlans } from '../../src/kernels/tuning/plans.ts';
import { emptyBatch } from '../../src/train/plan.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { stepProducts } from '../../src/train/tuning.ts';
import { useGpu } from '../support/gpu.ts';
import { tinyConfig } from '../support/tinyRun.ts';

const gpu = useGpu();

describe('stepProducts', () => {
  for (const [name, config] of Object.entries({
    plain: tinyConfig(),
    'in chunks': tinyConfig({ batchSize: 6, chunkSize: 3, checkpointing: 'blocks' }),
  })) {
    it(`finds the products of a real step without running it: ${name}`, async () => {
      const plans = tunedPlans(gpu());
      plans.requests.clear();
      plans.mode = 'on';
      const trainer = new Trainer(gpu(), config, 1, 1);
      const batch = emptyBatch(config, 6);
      await trainer.evaluate(batch);
      // Blank images have no gradient, but the products are those of any others.
      await trainer.step(batch, 0).catch(() => undefined);
      trainer.dispose();
      plans.mode = 'off';
      const dispatches = gpu().counters.dispatches;
      const found = await stepProducts(gpu(), config, [6]);
      expect(gpu().counters.dispatches).toBe(dispatches);
      expect(found.map(({ key }) => key).sort()).toEqual([...plans.requests.keys()].sort());
      expect(found.length).toBeGreaterThan(15);
    });
  }
});
