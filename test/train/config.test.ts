import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configFromFlags } from '../../src/cli/trainCommand.ts';
import { parseRunConfig, presets } from '../../src/train/config.ts';
import { temporaryFolder } from '../support/tinyRun.ts';

describe('configuration', () => {
  it('is valid in every preset', () => {
    for (const preset of Object.values(presets)) expect(parseRunConfig(preset, 'preset')).toEqual(preset);
  });

  it('takes the preset, then the file, then the flags', () => {
    const file = join(temporaryFolder(), 'c.json');
    writeFileSync(file, JSON.stringify({ preset: 'phantom', batchSize: 8, schedule: { learningRate: 1e-4 } }));
    const config = configFromFlags({ config: file, batch: 4, steps: 7, evaluate: true });
    expect(config.preset).toBe('phantom');
    expect(config.batchSize).toBe(4);
    expect(config.schedule).toEqual({ ...presets.phantom?.schedule, learningRate: 1e-4 });
    expect(config.steps).toBe(7);
  });

  it('lets epochs replace the steps of a preset', () => {
    const config = configFromFlags({ epochs: 2, evaluate: true });
    expect([config.epochs, config.steps]).toEqual([2, undefined]);
  });

  it('names the field that is wrong', () => {
    const file = join(temporaryFolder(), 'c.json');
    writeFileSync(file, JSON.stringify({ optimizer: { name: 'lion' } }));
    expect(() => configFromFlags({ config: file, evaluate: true })).toThrow(/optimizer\.name/);
    writeFileSync(file, JSON.stringify({ batchsize: 4 }));
    expect(() => configFromFlags({ config: file, evaluate: true })).toThrow(/batchsize/);
    writeFileSync(file, '{');
    expect(() => configFromFlags({ config: file, evaluate: true })).toThrow(/not valid JSON/);
    expect(() => configFromFlags({ batch: -1, evaluate: true })).toThrow(/batchSize/);
    expect(() => configFromFlags({ preset: 'nope', evaluate: true })).toThrow(/phantom-mini/);
    expect(() => configFromFlags({ preset: 'paper', evaluate: true })).toThrow(/--data/);
  });
});
