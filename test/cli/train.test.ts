import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { readMetrics } from '../../src/train/metrics.node.ts';
import { temporaryFolder, tinyConfig } from '../support/tinyRun.ts';

const main = resolve(import.meta.dirname, '../../src/cli/main.ts');

/** Starts `groundray train` as a process of its own. */
function start(...args: string[]): { child: ChildProcess; output: () => string; ended: Promise<number | null> } {
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'train', '--no-evaluate', ...args]);
  const parts: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part) => parts.push(String(part)));
  return { child, output: () => parts.join(''), ended: once(child, 'exit').then(([code]) => code) };
}

function writeConfig(folder: string, changes: object): string {
  const path = join(folder, 'tiny.json');
  const { preset: _preset, ...config } = tinyConfig(changes);
  writeFileSync(path, JSON.stringify(config));
  return path;
}

it('loses at most the steps since the last checkpoint when it is killed', { timeout: 300_000 }, async () => {
  const folder = temporaryFolder();
  const config = writeConfig(folder, { steps: 24, checkpointEvery: 4, validateEvery: 24 });
  const whole = start('--config', config, '--out', join(folder, 'whole'));
  expect(await whole.ended, whole.output()).toBe(0);

  const out = join(folder, 'killed');
  const killed = start('--config', config, '--out', out);
  while (!existsSync(join(out, 'checkpoint.safetensors')) && killed.child.exitCode === null) await delay(2);
  await delay(20);
  killed.child.kill('SIGKILL');
  await killed.ended;
  expect(existsSync(join(out, 'model.safetensors')), 'killed before its end').toBe(false);

  const rest = start('--resume', out);
  expect(await rest.ended, rest.output()).toBe(0);
  const first = Number(/continuing after step (\d+)/.exec(rest.output())?.[1]);
  expect(first % 4).toBe(0);
  const steps = readMetrics(out).filter(({ kind }) => kind === 'train');
  expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
  const model = (run: string): Buffer => readFileSync(join(folder, run, 'model.safetensors'));
  expect(model('killed').equals(model('whole'))).toBe(true);
});

it('ends with one sentence and exit code 1 for input that cannot be trained on', { timeout: 300_000 }, async () => {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'manifest.csv'), 'file,report\nx.png,No finding.\n');
  const cases: readonly [args: string[], sentence: RegExp][] = [
    [['--data', join(folder, 'nowhere')], /nowhere.*manifest\.csv/],
    [['--data', data], /manifest\.csv.*column.*text/],
    [['--config', writeConfig(folder, { batchSize: 500 })], /20 usable studies, fewer than one batch of 500/],
    [['--preset', 'huge'], /no preset "huge".*phantom-mini/],
    [['--seed', '-1'], /seed/],
    [['--memory', '1MiB'], /more than the 1\.0 MiB of --memory\. No --chunk/],
    [['--memory', 'lots'], /--memory lots: expected a number and a unit/],
  ];
  const results = await Promise.all(
    cases.map(async ([args]) => {
      const run = start(...args, '--out', join(folder, 'never'));
      return { code: await run.ended, output: run.output() };
    }),
  );
  for (const [i, [args, sentence]] of cases.entries()) {
    expect(results[i]?.code, `${args}: ${results[i]?.output}`).toBe(1);
    expect(results[i]?.output).toMatch(sentence);
    expect(results[i]?.output, String(args)).not.toMatch(/^\s+at /m);
  }
  expect(readdirSync(folder)).not.toContain('never');
});
