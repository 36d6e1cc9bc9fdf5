import { describe, expect, it } from 'vitest';
import { efficiencyOf, kernelTable } from '../../bench/report/kernelTable.ts';
import { modelTable } from '../../bench/report/modelTable.ts';
import { performanceText, withPerformance } from '../../bench/report/readme.ts';
import { benchFileSchema } from '../../bench/report/schema.ts';
import { byteSize, percent, short } from '../../bench/report/text.ts';
import { benchFile, result } from './support/files.ts';

const { roofline } = benchFile([]);
const kernels = [{ name: 'matmul', count: 3, ms: 6, share: 0.6, gflops: 5, gigabytesPerSecond: 1 }];
const model = (form: 'eager' | 'replayed') =>
  result(`small step, ${form}`, 20, 0.01, {
    suite: 'models',
    family: 'small',
    clock: 'wall',
    items: { count: 4, unit: 'images' },
    peakBytes: 3 * 2 ** 20,
    ...(form === 'replayed' ? { kernels } : {}),
  });

describe('numbers', () => {
  it('have three digits and no exponents', () => {
    expect([0, 7, 0.01234, 1.5, 123.4, 98_765].map(short)).toEqual(['0', '7', '0.0123', '1.50', '123', '98,800']);
    expect(short(Number.NaN)).toBe('–');
    expect([0.0123, 0.5, 1.2].map(percent)).toEqual(['1.2 %', '50 %', '120 %']);
    expect([100, 1536, 3 * 2 ** 30].map(byteSize)).toEqual(['100 B', '1.50 KiB', '3 GiB']);
  });
});

describe('tables', () => {
  it('relate a kernel to the roof that bounds it', () => {
    // 2e9 operations at 100 GFLOP/s take 20 ms, 1e6 bytes at 10 GB/s 0.1 ms.
    const reached = efficiencyOf(result('a', 40), roofline);
    expect(reached).toMatchObject({ gflops: 50, share: 0.5, bound: 'arithmetic' });
    expect(reached.gigabytesPerSecond).toBeCloseTo(0.025);
    expect(efficiencyOf(result('a', 40, 0, { flops: 0, bytes: 1e8 }), roofline)).toMatchObject({
      share: 0.25,
      bound: 'memory',
    });
  });

  it('list kernels under their family, with the clock that measured them', () => {
    const text = kernelTable({ results: [result('a', 40), result('b', 40)] }, roofline);
    expect(text).toContain('GPU time by timestamps');
    expect(text).toMatch(/\nmatmul\n {2}a .* 50 %/);
  });

  it('list both forms of a model, and where its GPU time goes', () => {
    const text = modelTable({
      results: [model('eager'), model('replayed')],
      extra: { failures: ['big is left out.'] },
    });
    expect(text).toMatch(/\nsmall step\n {2}eager .* 200 images .* 3 MiB/);
    expect(text).toMatch(/ {2}matmul +60 % +6 +3 +5 +1/);
    expect(text).toContain('big is left out.');
  });
});

describe('the README', () => {
  const lines = (text: string): string[] => text.split('\n');
  const adapters = [
    { name: 'one', file: benchFile([result('a', 40), model('replayed')]) },
    { name: 'two', file: benchFile([result('b', 40, 0.01, { family: 'copy', flops: 0, bytes: 1e8 })]) },
  ];

  it('has a row for whatever any adapter measured, and empty cells for the others', () => {
    const text = lines(performanceText(adapters));
    // Only the first adapter measured models at all.
    expect(text).toContain('| small step | 20 ms ±1.0 % | 200 images/s | 3 MiB |');
    expect(text).toContain('| matmul | 50 % | 50 | 0.0250 |  |  |  |');
    expect(text).toContain('| copy |  |  |  | 25 % |  | 2.50 |');
    expect(
      text.some((line) => line.startsWith('| one | Mesa 25; 2 cores of a processor | 100 GFLOP/s, median 90 |')),
    ).toBe(true);
  });

  it('sets us beside the fastest other library that had the right result', () => {
    const cell = (medianMs: number) => ({ status: 'measured', medianMs });
    const cells = {
      groundray: cell(4),
      'groundray-replayed': cell(2),
      'jax-js': cell(5),
      tfjs: { status: 'wrong', reason: 'dx' },
      pytorch: cell(1),
    };
    const peers = { rows: [{ workload: 'softmax', title: 'softmax 2x2', cells }] };
    const file = { ...benchFile([]), extra: { peers } };
    expect(lines(performanceText([{ name: 'one', file }]))).toContain('| softmax 2x2 | 2 ms | 5 ms (jax-js) | 2.50x |');
  });

  it('is changed between the markers only, and twice the same', () => {
    const readme = `# Title\n\n<!-- performance: generated from bench/results by scripts/benchTable.ts -->\nold\n<!-- end of performance -->\n\nlast\n`;
    const once = withPerformance(readme, adapters);
    expect(once.startsWith('# Title\n')).toBe(true);
    expect(once.endsWith('<!-- end of performance -->\n\nlast\n')).toBe(true);
    expect(once).not.toContain('old');
    expect(withPerformance(once, adapters)).toBe(once);
    expect(() => withPerformance('# Title', adapters)).toThrow('has no lines');
  });
});

describe('the file of results', () => {
  it('holds everything that is needed to compare it, and nothing unknown', () => {
    expect(benchFileSchema.safeParse(benchFile([result('a', 1), model('replayed')])).success).toBe(true);
    expect(benchFileSchema.safeParse({ ...benchFile([]), more: 1 }).success).toBe(false);
    expect(benchFileSchema.safeParse({ ...benchFile([]), version: 2 }).success).toBe(false);
    expect(benchFileSchema.safeParse(benchFile([result('a', -1)])).success).toBe(false);
  });
});
