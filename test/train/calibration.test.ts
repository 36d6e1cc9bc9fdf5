import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/data/open.node.ts';
import type { PresenceCalibration } from '../../src/eval/presence.ts';
import { writeSafetensors } from '../../src/io/safetensors.ts';
import { readMetadata } from '../../src/io/safetensorsMetadata.node.ts';
import { readCalibration, storeCalibration } from '../../src/train/calibration.node.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.node.ts';
import { newRun, writeRunFolder } from '../../src/train/runFolder.node.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { useGpu } from '../support/gpu.ts';
import { temporaryFolder, tinyConfig } from '../support/tinyRun.ts';

const calibration: PresenceCalibration = {
  ...{ signal: 'peak', threshold: 0.25, sigma: 1, sensitivity: 0.8, specificity: 0.7, auroc: 0.75 },
  ...{ phrases: 40, dataset: 'phantom-1', step: 3 },
} as const;

describe('storeCalibration', () => {
  const gpu = useGpu();

  it('keeps the threshold with the weights that it holds for, and drops it when training goes on', async () => {
    const config = tinyConfig();
    const run = newRun(temporaryFolder(), config, await openDataset(config.data));
    await writeRunFolder(run);
    const { folder } = run;
    const trainer = new Trainer(gpu(), run.config, 1, 1);
    const save = (step: number) =>
      saveCheckpoint(folder, trainer.arena, trainer.optimizer, { step, bestValidation: null });
    await save(3);
    const model = join(folder, 'model.safetensors');
    writeFileSync(model, writeSafetensors(await trainer.arena.state()));

    expect(await readCalibration(folder)).toBeUndefined();
    expect(await storeCalibration(folder, { ...calibration, step: 2 })).toBe(false);
    expect(await readCalibration(folder)).toBeUndefined();

    expect(await storeCalibration(folder, calibration)).toBe(true);
    expect(await readCalibration(folder)).toEqual(calibration);
    expect(JSON.parse((await readMetadata(model)).presence!)).toEqual(calibration);
    expect(loadCheckpoint(folder, trainer.arena, trainer.optimizer).step).toBe(3);

    await save(4);
    expect(await readCalibration(folder)).toBeUndefined();
    trainer.dispose();
  });
});
