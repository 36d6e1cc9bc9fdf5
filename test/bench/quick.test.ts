import { describe, expect, it } from 'vitest';
import type { Progress } from '../../bench/measure/rounds.ts';
import type { FamilyCase } from '../../bench/suites/kernelVisit.ts';
import type { ModelCase } from '../../bench/suites/modelCases.ts';
import { quickBenchmark, quickCases, workOf } from '../../bench/suites/quick.ts';
import { GpuError } from '../../src/gpu/errors.ts';
import { profile } from '../../src/gpu/profile.ts';
import { commonCard, standInGpu } from '../../src/gpu/standIn.ts';
import { binary } from '../../src/kernels/binary.ts';
import { fill } from '../../src/kernels/fill.ts';
import { matmul } from '../../src/kernels/matmul.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();

const sum: FamilyCase = {
  name: 'sum of 1,000',
  family: 'binary',
  flops: 1000,
  bytes: 12_000,
  prepare: (used) => {
    const x = fill(used, [1000], 1);
    return () => void binary('add', x, x);
  },
};
const tooLarge: FamilyCase = {
  ...sum,
  name: 'too large',
  prepare: () => {
    throw new GpuError('The GPU is out of memory.');
  },
};
const tiny = { copyBytes: 2 ** 16, rounds: 2 };

describe('the short benchmark', () => {
  it.each(['hardware', 'software'] as const)(
    'has products, convolutions, attention, norms and a step on %s',
    (kind) => {
      using standIn = standInGpu({ ...commonCard, adapter: { ...commonCard.adapter, kind } });
      const cases = quickCases(standIn);
      const count = (family: string): number => cases.filter((benchCase) => benchCase.family === family).length;
      const families = ['matmul', 'conv2d', 'attention', 'layerNorm', 'softmax', 'step'];
      expect(families.map(count)).toEqual([1, 3, 2, 3, 2, 1]);
      for (const { name, flops, bytes } of cases) expect(Math.min(flops, bytes), name).toBeGreaterThan(1e5);
    },
  );

  it('measures cases and roofline in turn, tells how far it is, and leaves nothing on the device', async () => {
    const before = gpu().memoryReport();
    const seen: Progress[] = [];
    const run = quickBenchmark(gpu(), { ...tiny, cases: [sum, tooLarge] });
    let step = await run.next();
    for (; !step.done; step = await run.next()) seen.push(step.value);
    const { roofline, results, leftOut } = step.value;
    expect(leftOut).toEqual(['too large is left out: The GPU is out of memory.']);
    expect(results.map(({ name, family, flops, bytes }) => ({ name, family, flops, bytes }))).toEqual([
      { name: 'sum of 1,000', family: 'binary', flops: 1000, bytes: 12_000 },
    ]);
    expect(results[0]).toMatchObject({ dispatches: 1, wall: { rounds: 2 } });
    expect(roofline.arithmetic.rounds).toBe(2);
    expect(Math.min(roofline.gflops, roofline.gigabytesPerSecond)).toBeGreaterThan(0);
    expect(seen.map(({ name }) => name)).toEqual(Array(2).fill(['roofline', 'sum of 1,000', 'too large']).flat());
    expect(seen.map(({ done, total }) => total - done)).toEqual([6, 5, 4, 3, 2, 1]);
    expect(gpu().memoryReport().liveBuffers).toBe(before.liveBuffers);
  });

  it('measures nothing before it is asked to go on, and may be left at any time', async () => {
    const { liveBuffers } = gpu().memoryReport();
    const run = quickBenchmark(gpu(), { ...tiny, cases: [sum] });
    const { dispatches } = gpu().counters;
    await run.next();
    expect(gpu().counters.dispatches).toBe(dispatches);
    await run.next();
    expect(gpu().counters.dispatches).toBeGreaterThan(dispatches);
    await run.return(undefined as never);
    expect(await run.next()).toEqual({ done: true, value: undefined });
    expect(gpu().memoryReport().liveBuffers).toBe(liveBuffers);
  });

  it('knows the work of a step without running it', async () => {
    const products: ModelCase = {
      name: 'two products',
      family: 'test',
      items: { count: 1, unit: 'things' },
      prepare: (used) => {
        const x = fill(used, [32, 32], 1);
        return { record: () => void matmul(matmul(x, x), x) };
      },
    };
    const { dispatches } = gpu().counters;
    const work = workOf(gpu(), products);
    expect(gpu().counters.dispatches).toBe(dispatches);
    expect(work).toEqual({ flops: 4 * 32 ** 3, bytes: 2 * 3 * 4 * 32 ** 2 });
    const { record } = products.prepare(gpu());
    const ran = await profile(gpu(), record);
    expect(ran.reduce((total, { flops }) => total + flops, 0)).toBe(work.flops);
  });
});
