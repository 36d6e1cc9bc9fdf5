import { describe, expect, it } from 'vitest';
import type { ProfiledDispatch } from '../../src/gpu/profile.ts';
import { chromeTrace, profile, rollUp } from '../../src/gpu/profile.ts';
import { wrapDevice } from '../../src/gpu/wrap.ts';
import { binary } from '../../src/kernels/binary.ts';
import { fill } from '../../src/kernels/fill.ts';
import { matmul } from '../../src/kernels/matmul.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();

/** A product and two sums of one element each. */
function work(size: number): () => void {
  const [a, b, one] = [fill(gpu(), [size, size], 1), fill(gpu(), [size, size], 1), fill(gpu(), [1], 1)];
  return () =>
    gpu().scope(() => {
      matmul(a, b);
      binary('add', one, one);
      binary('add', one, one);
    });
}

const dispatch = (name: string, us: number, flops = 0, bytes = 0): ProfiledDispatch => ({
  name,
  startUs: 0,
  us,
  flops,
  bytes,
});

describe('profile', () => {
  it('gives every dispatch its GPU time and the work it stands for', async () => {
    const size = 128;
    const found = await profile(gpu(), work(size));
    expect(found.map(({ name }) => name.split('/')[0])).toEqual(['matmul', 'binary', 'binary']);
    expect(found[0]).toMatchObject({ flops: 2 * size ** 3, bytes: 12 * size ** 2 });
    for (const { us } of found) expect(us).toBeGreaterThan(0);
    expect(found[1]?.startUs).toBeGreaterThan(found[0]?.startUs ?? Number.NaN);
  });

  it('sees replayed dispatches, and more of them than a submission or a query set holds', async () => {
    using captured = gpu().capture(work(4));
    const times = 1000;
    const found = await profile(gpu(), () => {
      for (let i = 0; i < times; i++) captured.run();
    });
    expect(found).toHaveLength(3 * times);
    expect(rollUp(found, 'kernel').find(({ name }) => name === 'binary')?.count).toBe(2 * times);
  });

  it('times whole passes without splitting them', async () => {
    const record = work(64);
    const spans = await gpu().timePasses(() => {
      for (let i = 0; i < 10; i++) record();
    });
    expect(spans).toHaveLength(1);
    expect(spans[0]?.us).toBeGreaterThan(0);
  });

  it('measures nothing any more once it is over, also when the body fails', async () => {
    await expect(
      profile(gpu(), () => {
        throw new Error('no such thing');
      }),
    ).rejects.toThrow('no such thing');
    work(4)();
    await gpu().finish();
    expect(await profile(gpu(), () => undefined)).toEqual([]);
  });

  it('says so where the device has no timestamp queries', async () => {
    const { device } = gpu();
    const without = new Proxy(device, {
      get: (target, key) => {
        const value = key === 'features' ? new Set() : Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    using borrowed = wrapDevice(without, gpu().adapter);
    await expect(profile(borrowed, () => undefined)).rejects.toThrow('no timestamp queries');
  });
});

describe('rollUp', () => {
  const found = [dispatch('matmul/a', 300, 6e5, 3e4), dispatch('matmul/b', 100, 2e5, 1e4), dispatch('binary/x', 600)];

  it('adds up by kernel, longest first, with shares and rates', () => {
    expect(rollUp(found, 'kernel')).toEqual([
      { name: 'binary', count: 1, ms: 0.6, share: 0.6, gflops: 0, gigabytesPerSecond: 0 },
      { name: 'matmul', count: 2, ms: 0.4, share: 0.4, gflops: 2, gigabytesPerSecond: 0.1 },
    ]);
  });

  it('keeps variants apart when asked', () => {
    expect(rollUp(found, 'variant').map(({ name }) => name)).toEqual(['binary/x', 'matmul/a', 'matmul/b']);
  });

  it('divides by nothing where no time passed', () => {
    expect(rollUp([dispatch('fill/x', 0, 1, 1)], 'kernel')[0]).toMatchObject({ share: 0, gflops: 0 });
  });
});

it('writes complete events for the trace viewer', () => {
  const trace = JSON.parse(chromeTrace([{ ...dispatch('matmul/a', 7, 8, 9), startUs: 5 }])) as { traceEvents: unknown };
  expect(trace.traceEvents).toEqual([
    { name: 'matmul/a', cat: 'gpu', ph: 'X', pid: 0, tid: 0, ts: 5, dur: 7, args: { flops: 8, bytes: 9 } },
  ]);
});

it('starts the peak of memory anew when asked', () => {
  fill(gpu(), [1 << 20], 0).dispose();
  gpu().resetPeakMemory();
  const { peakBytes, liveBytes } = gpu().memoryReport();
  expect(peakBytes).toBe(liveBytes);
});
