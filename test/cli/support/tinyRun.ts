import { openDataset } from '../../../src/data/open.node.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { saveCheckpoint } from '../../../src/train/checkpoint.node.ts';
import { mergeConfig, parseRunConfig, type RunConfig } from '../../../src/train/config.ts';
import { presets } from '../../../src/train/presets.ts';
import { trainRun } from '../../../src/train/run.node.ts';
import { newRun, type RunDescription, writeRunFolder } from '../../../src/train/runFolder.node.ts';
import { Trainer } from '../../../src/train/trainer.ts';

/** A network of a few thousand parameters on 32-pixel phantoms. */
export const tinyConfig: RunConfig = parseRunConfig(
  mergeConfig(presets['phantom-mini'], {
    preset: 'tiny',
    data: { kind: 'phantom', count: 60, size: 32, seed: 1, splits: { train: 0.6, validation: 0.2, test: 0.2 } },
    imageSize: 32,
    model: {
      visual: {
        stem: { channels: 4, kernel: 3, stride: 2, maxPool: false },
        stages: [
          { blocks: 1, width: 4, stride: 2 },
          { blocks: 1, width: 4, stride: 1 },
        ],
      },
      localStage: 2,
      text: { hidden: 16, layers: 1, heads: 2, intermediate: 16 },
      dimension: 16,
    },
    batchSize: 4,
    steps: 3,
    checkpointEvery: 3,
    validateEvery: 3,
    evaluateImages: 4,
  }),
  'the test',
);

/** Makes the folder of a run and saves its parameters as they are before the first step. */
export async function untrainedRun(gpu: Gpu, folder: string): Promise<RunDescription> {
  const run = newRun(folder, tinyConfig, await openDataset(tinyConfig.data));
  await writeRunFolder(run);
  const trainer = new Trainer(gpu, run.config, 1, 1);
  await saveCheckpoint(folder, trainer.arena, trainer.optimizer, { step: 0, bestValidation: null });
  trainer.dispose();
  return run;
}

/** Trains three steps. */
export async function trainedRun(gpu: Gpu, folder: string): Promise<RunDescription> {
  const dataset = await openDataset(tinyConfig.data);
  const run = newRun(folder, tinyConfig, dataset);
  const { trainer } = await trainRun(gpu, run, dataset);
  trainer.dispose();
  return run;
}
