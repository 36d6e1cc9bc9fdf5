import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { mergeConfig, parseRunConfig, type RunConfig } from '../../src/train/config.ts';
import { presets } from '../../src/train/presets.ts';

/** A run of seconds: 32 px phantoms, batches of 4, a few channels, two token layers. */
export function tinyConfig(changes: object = {}): RunConfig {
  const tiny = {
    data: { kind: 'phantom', count: 40, size: 32, seed: 1, splits: { train: 0.5, validation: 0.2, test: 0.3 } },
    imageSize: 32,
    maxTokens: 64,
    model: {
      visual: {
        inChannels: 1,
        stem: { channels: 4, kernel: 3, stride: 2, maxPool: false },
        stages: [
          { blocks: 1, width: 4, stride: 2 },
          { blocks: 1, width: 4, stride: 2 },
        ],
      },
      localStage: 1,
      text: { hidden: 16, layers: 1, heads: 2, intermediate: 16, maxPositions: 64, dropout: 0.1 },
      dimension: 16,
    },
    batchSize: 4,
    steps: 6,
    checkpointEvery: 3,
    validateEvery: 3,
    evaluateImages: 0,
  };
  return parseRunConfig(mergeConfig(mergeConfig(presets['phantom-mini'], tiny), changes), 'the test');
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'groundray-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
