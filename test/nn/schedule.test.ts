import { describe, expect, it } from 'vitest';
import { constantRate, exponentialDecay, linearWarmup, oneCycle } from '../../src/nn/schedule.ts';

describe('learning rate schedules', () => {
  it('decays once an epoch', () => {
    const rate = exponentialDecay(2e-5, 0.9, 3);
    expect([0, 2, 3, 7].map(rate)).toEqual([2e-5, 2e-5, 2e-5 * 0.9, 2e-5 * 0.9 ** 2]);
    expect(() => exponentialDecay(1, 0.9, 0)).toThrow(/stepsPerEpoch must be a positive number, not 0/);
  });

  it('warms up in equal steps to the rate of the schedule behind it', () => {
    expect([0, 1, 3, 4, 100].map(linearWarmup(constantRate(8), 4))).toEqual([2, 4, 8, 8, 8]);
    expect(linearWarmup(constantRate(8), 0)(0)).toBe(8);
  });

  it('rises for a tenth of the cycle and falls to almost nothing', () => {
    const rate = oneCycle(1, 100);
    const rates = Array.from({ length: 100 }, (_, step) => rate(step));
    expect(rates[0]).toBeCloseTo(1 / 25, 12);
    expect(rates.indexOf(Math.max(...rates))).toBe(9);
    expect(rates[9]).toBeCloseTo(1, 12);
    // Half-way up and half-way down a half cosine is the mean of its ends.
    expect(oneCycle(1, 110, { warmup: 0.1 })(5)).toBeCloseTo((1 + 1 / 25) / 2, 12);
    expect(rates[54]).toBeCloseTo((1 + 4e-6) / 2, 12);
    expect(rates[99]).toBeCloseTo(4e-6, 12);
    expect(rate(500)).toBe(rates[99]);
    for (let step = 1; step < 100; step++) expect(rates[step]! > rates[step - 1]!).toBe(step <= 9);
  });

  it('copes with cycles too short for a warm-up', () => {
    for (const steps of [1, 2, 5]) {
      for (let step = 0; step < steps; step++) expect(Number.isFinite(oneCycle(1, steps)(step))).toBe(true);
    }
  });
});
