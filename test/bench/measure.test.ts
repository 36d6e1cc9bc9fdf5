import { describe, expect, it } from 'vitest';
import { calibrate, idealMs } from '../../bench/measure/roofline.ts';
import { Interrupted, type Progress, planRounds, roundRobin } from '../../bench/measure/rounds.ts';
import { median, summarize } from '../../bench/measure/statistics.ts';
import { timeRuns } from '../../bench/measure/time.ts';
import { typicalStep } from '../../bench/suites/models.ts';
import { binary } from '../../src/kernels/binary.ts';
import { fill } from '../../src/kernels/fill.ts';
import { useGpu } from '../support/gpu.ts';

describe('statistics', () => {
  it('takes the middle, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('measures a spread that one outlier does not widen', () => {
    const quiet = summarize([10, 10.1, 9.9, 10.2, 9.8]);
    const disturbed = summarize([10, 10.1, 9.9, 10.2, 98]);
    expect(quiet).toMatchObject({ median: 10, low: 9.8, high: 10.2, rounds: 5 });
    // Deviations 0, 0.1, 0.1, 0.2, 0.2: the middle one times 1.4826, relative to 10.
    expect(quiet.spread).toBeCloseTo(0.014826, 6);
    expect(disturbed.spread).toBeLessThan(0.02);
    expect(disturbed.high).toBe(98);
  });
});

it('takes of every dispatch the median over several profiles of a step', () => {
  const step = (...times: number[]) =>
    times.map((us, i) => ({ name: `kernel${i}/plain`, startUs: 0, us, flops: 1, bytes: 1 }));
  const typical = typicalStep([step(1, 20), step(100, 21), step(2, 22)]);
  expect(typical.map(({ name, us }) => [name, us])).toEqual([
    ['kernel0/plain', 2],
    ['kernel1/plain', 21],
  ]);
  expect(typicalStep([])).toEqual([]);
});

describe('roundRobin', () => {
  const quiet = { signal: new AbortController().signal, onProgress: () => undefined };

  it('visits every case once before it visits any again', async () => {
    const order: string[] = [];
    const visit = (name: string) => ({ name, measure: async (round: number) => void order.push(`${name}${round}`) });
    await roundRobin([visit('a'), visit('b')], { ...quiet, rounds: 3 });
    expect(order).toEqual(['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
  });

  it('tells how far it is', async () => {
    const seen: Progress[] = [];
    const cases = [{ name: 'a', measure: async () => undefined }];
    await roundRobin(cases, { ...quiet, rounds: 2, onProgress: (progress) => seen.push(progress) });
    expect(seen.map(({ done, total }) => [done, total])).toEqual([
      [0, 2],
      [1, 2],
    ]);
  });

  it('begins no further round once its time is over, after three', async () => {
    let measured = 0;
    const measure = async (): Promise<void> => {
      measured += 1;
      await new Promise((done) => setTimeout(done, 5));
    };
    await roundRobin([{ name: 'a', measure }], { ...quiet, rounds: 9, budgetMs: 1 });
    expect(measured).toBe(3);
    expect(planRounds(undefined, 'software', 2)).toEqual({ rounds: 5, budgetMs: 120_000 });
    expect(planRounds(undefined, 'hardware', 2)).toEqual({ rounds: 5 });
    expect(planRounds(20, 'software', 2)).toEqual({ rounds: 20 });
  });

  it('ends between two measurements when it is asked to', async () => {
    const stop = new AbortController();
    let measured = 0;
    const measure = async (): Promise<void> => {
      measured += 1;
      stop.abort();
    };
    const cases = [
      { name: 'a', measure },
      { name: 'b', measure },
    ];
    await expect(roundRobin(cases, { ...quiet, rounds: 5, signal: stop.signal })).rejects.toBeInstanceOf(Interrupted);
    expect(measured).toBe(1);
  });
});

describe('the roofline', () => {
  const gpu = useGpu();

  it('is the slower of arithmetic and memory', () => {
    const peaks = { gflops: 100, gigabytesPerSecond: 10 };
    expect(idealMs({ flops: 2e9, bytes: 1e6 }, peaks)).toBeCloseTo(20);
    expect(idealMs({ flops: 1e6, bytes: 1e8 }, peaks)).toBeCloseTo(10);
  });

  it('is measured on the device, and a sum of two arrays stays below it in arithmetic', async () => {
    using _arrays = gpu().scopes.open();
    const { sample, roofline } = await calibrate(gpu());
    await sample();
    const { gflops, gigabytesPerSecond, arithmetic } = roofline();
    const size = 2 ** 16;
    const [a, b] = [fill(gpu(), [size], 1), fill(gpu(), [size], 1)];
    const { gpuMs, wallMs, dispatches } = await timeRuns(gpu(), () => void binary('add', a, b), 3);
    expect(dispatches).toBe(1);
    expect(size / (gpuMs ?? wallMs) / 1e6).toBeLessThan(gflops);
    expect(gigabytesPerSecond).toBeGreaterThan(0);
    expect(arithmetic.rounds).toBe(2);
  });
});
