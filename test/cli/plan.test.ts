import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import type { PlanFlags } from '../../src/cli/planCommand.ts';
import { parseBytes, plan } from '../../src/cli/planCommand.ts';
import { temporaryFolder } from '../support/tinyRun.ts';

const main = resolve(import.meta.dirname, '../../src/cli/main.ts');

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', main, 'plan', ...args], {
    encoding: 'utf8',
    // No WebGPU may be asked for.
    env: { ...process.env, GROUNDRAY_ADAPTER: 'none' },
  });
  return { status, stdout, stderr };
}

it('prints memory, work and times of a preset without a GPU', () => {
  const { status, stdout, stderr } = run();
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/phantom-mini: batch 16, the whole batch at once, checkpointing none\. Planned/);
  expect(stdout).toMatch(/Memory: [\d.]+ MiB in use at most/);
  expect(stdout).toMatch(/rtx-3070 \(nominal: 20\.3 TFLOP\/s, 448 GB\/s\): [\d.]+ ms a step/);
});

it('suggests settings that fit, as JSON for programs, with measured speeds', () => {
  const roofline = join(temporaryFolder(), 'bench.json');
  writeFileSync(roofline, JSON.stringify({ roofline: { gflops: 100, gigabytesPerSecond: 10 }, results: [] }));
  const { status, stdout, stderr } = run('--memory', '40MiB', '--json', '--roofline', roofline);
  expect(status, stderr).toBe(0);
  const { plan: whole, settings, suggestion, assumptions } = JSON.parse(stdout);
  expect(assumptions.devices).toEqual([{ name: roofline, source: 'measured', flops: 1e11, bandwidth: 1e10 }]);
  expect(whole.memory.allocated).toBeGreaterThan(40 * 2 ** 20);
  expect(settings.length).toBeGreaterThan(2);
  expect(suggestion.memory.allocated).toBeLessThanOrEqual(40 * 2 ** 20);
  expect(suggestion.secondsPerStep[roofline]).toBeGreaterThan(0);
});

it('ends with one sentence and exit code 1 for what cannot be planned', () => {
  for (const [args, sentence] of [
    [['--memory', '1MiB'], /Nothing fits into 1\.0 MiB: parameters, gradients and optimizer state alone take/],
    [['--device', 'abacus'], /rtx-3070/],
  ] as const) {
    const { status, stdout, stderr } = run(...args);
    expect(status, `${args}: ${stdout}`).toBe(1);
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split('\n').length, stderr).toBe(1);
  }
});

it('names what is wrong with its input', async () => {
  const file = join(temporaryFolder(), 'not-a-benchmark.json');
  writeFileSync(file, '{}');
  const cases: readonly [flags: PlanFlags, sentence: RegExp][] = [
    [{ preset: 'huge' }, /no preset "huge".*phantom-mini/],
    [{ batch: 8, chunk: 9 }, /a chunk of 9 is larger than the batch of 8/],
    [{ batch: 4, memory: '3MiB' }, /Nothing fits into 3\.0 MiB: the least is [\d.]+ MiB, with chunks of 1/],
    [{ memory: 'plenty' }, /--memory plenty: expected a number and a unit, such as 8GiB/],
    [{ roofline: file }, /has no "roofline"/],
    [{ roofline: `${file}.missing` }, /cannot be read/],
    [{ vocab: `${file}.missing` }, /expected a vocab\.txt/],
    [{ config: join(file, 'x') }, /there is no such file/],
  ];
  for (const [flags, sentence] of cases) await expect(plan(flags), JSON.stringify(flags)).rejects.toThrow(sentence);
});

it('reads sizes with decimal and binary units', () => {
  expect([parseBytes('8GiB'), parseBytes('500 MB'), parseBytes('1.5kib')]).toEqual([8 * 2 ** 30, 5e8, 1536]);
  for (const bad of ['8', 'GiB', '-1GiB', '8 GiBs', '0GB']) expect(() => parseBytes(bad)).toThrow(/such as 8GiB/);
});
