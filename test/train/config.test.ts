import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configFromFlags } from '../../src/cli/configFlags.ts';
import { parseRunConfig } from '../../src/train/config.ts';
import { presets } from '../../src/train/presets.ts';
import { temporaryFolder } from '../support/tinyRun.ts';

describe('configuration', () => {
  it('is valid in every preset', () => {
    for (const preset of Object.values(presets)) expect(parseRunConfig(preset, 'preset')).toEqual(preset);
  });

  it('takes the preset, then the file, then the flags', () => {
    const file = join(temporaryFolder(), 'c.json');
    writeFileSync(file, JSON.stringify({ preset: 'phantom', batchSize: 8, schedule: { learningRate: 1e-4 } }));
    const config = configFromFlags({ config: file, batch: 4, steps: 7 });
    expect(config.preset).toBe('phantom');
    expect(config.batchSize).toBe(4);
    expect(config.schedule).toEqual({ ...presets.phantom?.schedule, learningRate: 1e-4 });
    expect(config.steps).toBe(7);
  });

  it('lets epochs replace the steps of a preset', () => {
    const config = configFromFlags({ epochs: 2 });
    expect([config.epochs, config.steps]).toEqual([2, undefined]);
  });

  it('names the field that is wrong', () => {
    const file = join(temporaryFolder(), 'c.json');
    writeFileSync(file, JSON.stringify({ optimizer: { name: 'lion' } }));
    expect(() => configFromFlags({ config: file })).toThrow(/optimizer\.name/);
    writeFileSync(file, JSON.stringify({ batchsize: 4 }));
    expect(() => configFromFlags({ config: file })).toThrow(/batchsize/);
    writeFileSync(file, '{');
    expect(() => configFromFlags({ config: file })).toThrow(/not valid JSON/);
    expect(() => configFromFlags({ batch: -1 })).toThrow(/batchSize/);
    expect(() => configFromFlags({ preset: 'nope' })).toThrow(/phantom-mini/);
    expect(() => configFromFlags({ preset: 'paper' })).toThrow(/--data/);
  });

  it('chunks the batch only where it is asked to, and refuses chunks that are larger', () => {
    const folder = { preset: 'paper', data: 'somewhere' };
    expect(configFromFlags({}).chunkSize).toBeUndefined();
    expect(configFromFlags(folder)).toMatchObject({ batchSize: 128, chunkSize: 16, checkpointing: 'none' });
    expect(configFromFlags({ ...folder, batch: 8 }).chunkSize).toBe(8);
    expect(configFromFlags({ batch: 8, chunk: 3, checkpointing: 'blocks' })).toMatchObject({
      chunkSize: 3,
      checkpointing: 'blocks',
    });
    const sentence = /^the command line: chunkSize: a chunk of 9 is larger than the batch of 8; choose at most 8/;
    expect(() => configFromFlags({ batch: 8, chunk: 9 })).toThrow(sentence);
    expect(() => configFromFlags({ checkpointing: 'some' })).toThrow(/checkpointing/);
    const file = join(temporaryFolder(), 'c.json');
    writeFileSync(file, JSON.stringify({ chunkSize: 64 }));
    expect(() => configFromFlags({ config: file })).toThrow(/chunkSize: a chunk of 64 is larger than the batch of 16/);
  });

  it('reads the configuration of a run from before chunks and checkpointing', () => {
    const { checkpointing: _, ...old } = presets['phantom-mini']!;
    expect(parseRunConfig(old, 'old')).toEqual(presets['phantom-mini']);
  });
});
