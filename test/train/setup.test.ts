import { describe, expect, it } from 'vitest';
import { mergeConfig, parseRunConfig, type RunConfig } from '../../src/train/config.ts';
import { presets } from '../../src/train/presets.ts';
import { objectiveAt, scheduleOf } from '../../src/train/setup.ts';

const configOf = (changes: object): RunConfig => parseRunConfig(mergeConfig(presets['phantom-mini'], changes), 'test');

describe('the last phase of a run', () => {
  const finish = { share: 0.25, tau2: 0.4, learningRate: 1e-4 };
  const config = configOf({ finish, objective: { tau2: 0.1 }, schedule: { name: 'one-cycle', learningRate: 1e-2 } });
  const { finish: _, ...whole } = config;

  it('leaves the steps before it the schedule of a run without it', () => {
    const [rate, alone] = [scheduleOf(config, 40, 10), scheduleOf(whole, 30, 10)];
    for (let step = 0; step < 30; step++) expect(rate(step)).toBe(alone(step));
  });

  it('has a rate of its own, which falls linearly to 0 at the end', () => {
    const rate = scheduleOf(config, 40, 10);
    expect([30, 35, 39, 40].map(rate)).toEqual([1e-4, 5e-5, 1e-5, 0].map((value) => expect.closeTo(value, 12)));
  });

  it('has a temperature of its own', () => {
    const tau2 = (step: number): number => objectiveAt(config, step, 40).tau2;
    expect([0, 29, 30, 39].map(tau2)).toEqual([0.1, 0.1, 0.4, 0.4]);
    expect(objectiveAt(config, 39, 40)).toEqual({ ...config.objective, tau2: 0.4 });
    expect(objectiveAt(whole, 39, 40)).toEqual(config.objective);
  });

  it('may be shorter than a step', () => {
    const short = configOf({ finish: { ...finish, share: 0.01 } });
    expect([0, 9].map((step) => objectiveAt(short, step, 10).tau2)).toEqual(Array(2).fill(short.objective.tau2));
    expect(Number.isFinite(scheduleOf(short, 10, 10)(9))).toBe(true);
  });
});
