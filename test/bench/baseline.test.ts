import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { compareResults, comparisonText, readBenchFile, requireSameDevice } from '../../bench/report/baseline.ts';
import { benchFile, result } from './support/files.ts';

const folder = mkdtempSync(join(tmpdir(), 'groundray-bench-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('compareResults', () => {
  const before = benchFile([result('a', 10), result('b', 10), result('c', 10)]);
  const verdicts = (results: ReturnType<typeof result>[], changes = {}) =>
    Object.fromEntries(
      compareResults(benchFile(results, changes), before).map(({ result: { name }, verdict }) => [name, verdict]),
    );

  it('calls a case slower or faster when it differs by more than the noise of both files', () => {
    expect(verdicts([result('a', 12), result('b', 10.2), result('c', 8)])).toEqual({
      a: 'slower',
      b: 'same',
      c: 'faster',
    });
  });

  it('accepts what the spread of either file explains', () => {
    expect(verdicts([result('a', 12, 0.1), result('b', 10), result('c', 10)]).a).toBe('same');
    expect(verdicts([result('a', 15, 0.1), result('b', 10), result('c', 10)]).a).toBe('slower');
  });

  it('does not believe a spread of nothing among noisy cases', () => {
    expect(verdicts([result('a', 11.5, 0), result('b', 10, 0.1), result('c', 10, 0.1)]).a).toBe('same');
  });

  it('does not blame a case for a device that is slower altogether', () => {
    const time = { median: 13, low: 12, high: 14, spread: 0.01, rounds: 5 };
    const roofline = { gflops: 80, gigabytesPerSecond: 10, arithmetic: time, copy: { ...time, median: 10 } };
    expect(verdicts([result('a', 12.5), result('b', 10)], { roofline }).a).toBe('same');
  });

  it('compares only what both measured by the same clock', () => {
    expect(verdicts([result('new', 99), result('a', 99, 0.01, { clock: 'wall' })])).toEqual({});
  });

  it('says in a sentence how many cases changed, after a table of them', () => {
    const text = comparisonText(compareResults(benchFile([result('a', 12), result('b', 10)]), before), 'old.json');
    expect(text).toMatch(/kernels: a +10 ± 1 % +12 ± 1 % +1\.20x/);
    expect(text).toContain('Against old.json: 1 slower, 0 faster, 1 within the noise, median ratio 1.10.');
    expect(comparisonText([], 'old.json')).toBe('Against old.json: it has no case of this run.');
  });
});

describe('requireSameDevice', () => {
  const file = benchFile([]);

  it('refuses another adapter, driver, processor or other toggles with a sentence that names both', () => {
    const adapter = { ...file.adapter, device: 'swiftshader' };
    const driver = { ...file.adapter, description: 'Mesa 26' };
    expect(() => requireSameDevice('old.json', { ...file, adapter }, file)).toThrow(
      'old.json was measured on another adapter ("mesa software swiftshader", this is "mesa software llvmpipe")',
    );
    expect(() => requireSameDevice('old.json', { ...file, adapter: driver }, file)).toThrow(
      'another driver ("Mesa 26"',
    );
    const processor = { model: 'another', cores: 2 };
    expect(() => requireSameDevice('old.json', { ...file, processor }, file)).toThrow('another processor');
    expect(() => requireSameDevice('old.json', { ...file, toggles: ['x'] }, file)).toThrow('another toggles ("x"');
  });

  it('takes hardware for the same in another computer', () => {
    const hardware = { ...file, adapter: { ...file.adapter, kind: 'hardware' as const } };
    const processor = { model: 'another', cores: 8 };
    expect(() => requireSameDevice('old.json', { ...hardware, processor }, hardware)).not.toThrow();
  });
});

describe('readBenchFile', () => {
  it('reads back what was written', () => {
    const file = benchFile([result('a', 10)]);
    expect(readBenchFile(written('good.json', JSON.stringify(file)))).toEqual(file);
  });

  it('explains what is wrong with a file in one sentence', () => {
    expect(() => readBenchFile(join(folder, 'none.json'))).toThrow(/none\.json cannot be read .*no such file/);
    expect(() => readBenchFile(written('text.json', 'hello'))).toThrow(/text\.json cannot be read as results/);
    expect(() => readBenchFile(written('other.json', '{"format":"else"}'))).toThrow(
      /other\.json is not a file of "npm run bench -- --json": format: /,
    );
    const broken = { ...benchFile([]), processor: { model: 'x', cores: 'two' } };
    expect(() => readBenchFile(written('broken.json', JSON.stringify(broken)))).toThrow('processor.cores');
  });
});
