import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/data/open.node.ts';
import type { PresenceCalibration } from '../../src/eval/presence.ts';
import { readMetadata } from '../../src/io/safetensorsMetadata.node.ts';
import { readCalibration, storeCalibration } from '../../src/train/calibration.node.ts';
import { loadCheckpoint } from '../../src/train/checkpoint.node.ts';
import { trainRun } from '../../src/train/run.node.ts';
import { newRun } from '../../src/train/runFolder.node.ts';
import { useGpu } from '../support/gpu.ts';
import { temporaryFolder, tinyConfig } from '../support/tinyRun.ts';

const calibration: PresenceCalibration = {
  ...{ signal: 'peak', threshold: 0.25, sigma: 1, sensitivity: 0.8, specificity: 0.7, auroc: 0.75 },
  ...{ phrases: 40, dataset: 'phantom-1', step: 3 },
} as const;

describe('storeCalibration', () => {
  const gpu = useGpu();

  it('keeps the threshold with the weights that it holds for, and drops it when training goes on', async () => {
    const config = tinyConfig({ steps: 3 });
    const dataset = await openDataset(config.data);
    const run = newRun(temporaryFolder(), config, dataset);
    const { trainer } = await trainRun(gpu(), run, dataset);
    expect(await readCalibration(run.folder)).toBeUndefined();
    expect(await storeCalibration(run.folder, { ...calibration, step: 2 })).toBe(false);
    expect(await readCalibration(run.folder)).toBeUndefined();

    expect(await storeCalibration(run.folder, calibration)).toBe(true);
    expect(await readCalibration(run.folder)).toEqual(calibration);
    const model = join(run.folder, 'model.safetensors');
    expect(existsSync(model)).toBe(true);
    expect(JSON.parse((await readMetadata(model)).presence!)).toEqual(calibration);
    expect(loadCheckpoint(run.folder, trainer.arena, trainer.optimizer).step).toBe(3);
    trainer.dispose();

    const more = await trainRun(gpu(), { ...run, config: { ...run.config, steps: 6 } }, dataset);
    more.trainer.dispose();
    expect(await readCalibration(run.folder)).toBeUndefined();
  });
});
