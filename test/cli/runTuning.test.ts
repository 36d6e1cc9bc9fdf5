import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { tuneModeOf } from '../../src/cli/adapter.ts';
import { recordPlans, useRecordedPlans } from '../../src/cli/runTuning.ts';
import { standInGpu } from '../../src/gpu/standIn.ts';
import { openTuning } from '../../src/kernels/tuning/open.ts';
import { temporaryFolder } from '../support/tinyRun.ts';

describe('the plans of a run', () => {
  const runtime = 'a test';
  const plan = { core: 'tile32', splits: 2, gain: 1.5 } as const;

  it('are used again when it is resumed, whatever has been tuned since', async () => {
    const folder = temporaryFolder();
    const begun = await openTuning(standInGpu(), { mode: 'cached', runtime });
    begun.plans.add('a', plan);
    await recordPlans(folder, begun);
    const resumed = await openTuning(standInGpu(), { mode: 'cached', runtime });
    resumed.plans.add('a', { ...plan, core: 'tile64' });
    resumed.plans.add('b', plan);
    expect(useRecordedPlans(folder, resumed)).toBeUndefined();
    expect(Object.fromEntries(resumed.plans.known)).toEqual({ a: plan });
    expect(JSON.parse(readFileSync(join(folder, 'tuning.json'), 'utf8'))).toEqual(begun.table());
  });

  it('are replaced with a sentence where it goes on elsewhere', async () => {
    const folder = temporaryFolder();
    await recordPlans(folder, await openTuning(standInGpu(), { mode: 'cached', runtime }));
    const elsewhere = await openTuning(standInGpu(), { mode: 'cached', runtime: 'another version' });
    elsewhere.plans.add('b', plan);
    expect(useRecordedPlans(folder, elsewhere)).toMatch(/other rounding: tuning\.json .* runtime is "a test"/);
    expect([...elsewhere.plans.known.keys()]).toEqual(['b']);
    expect(useRecordedPlans(temporaryFolder(), elsewhere)).toBeUndefined();
  });
});

describe('--tune', () => {
  it('goes over GROUNDRAY_TUNE, which goes over cached', () => {
    vi.stubEnv('GROUNDRAY_TUNE', undefined);
    expect([tuneModeOf(undefined), tuneModeOf('on')]).toEqual(['cached', 'on']);
    vi.stubEnv('GROUNDRAY_TUNE', 'off');
    expect([tuneModeOf(undefined), tuneModeOf('on')]).toEqual(['off', 'on']);
    vi.stubEnv('GROUNDRAY_TUNE', 'always');
    expect(() => tuneModeOf(undefined)).toThrow(/GROUNDRAY_TUNE is "always".*off, cached, on/);
    vi.unstubAllEnvs();
  });
});
