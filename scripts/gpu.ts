/**
 * Everything that wants a graphics card, one step after the other: what the card offers, every fixture with and without
 * checks, tuning, benchmarks, training on phantoms, and a timed run of the `paper` preset on generated images. Results and
 * logs go to a folder; a step that fails or takes too long does not keep the others from running.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { adapterChoices } from '../src/cli/common.ts';
import { wholeNumber } from '../src/cli/flags.ts';
import { writeFileAtomic, writeJsonAtomic } from '../src/io/atomic.node.ts';

interface Step {
  readonly name: string;
  readonly minutes: number;
  /** Arguments of tsx. */
  readonly arguments: readonly string[];
  /** File that takes what the step prints, beside its log. */
  readonly output?: string;
}

interface Flags {
  readonly out: string;
  readonly fixtures?: string;
  readonly adapter: string;
  readonly only?: string;
  readonly batch: number;
}

function stepsOf({ out, fixtures, adapter, batch }: Flags): Step[] {
  const cli = (...rest: string[]): string[] => ['src/cli/main.ts', ...rest];
  const on = ['--adapter', adapter];
  const file = (name: string): string => join(out, name);
  const verify = (name: string, ...flags: string[]): Step[] =>
    fixtures === undefined
      ? []
      : [
          {
            name,
            minutes: 10,
            arguments: cli('verify', '--fixtures', fixtures, ...on, '--json', file(`${name}.json`), ...flags),
          },
        ];
  const bench = (name: string, ...flags: string[]): Step => ({
    name,
    minutes: 15,
    arguments: ['bench/main.ts', ...on, '--json', file(`${name}.json`), '--html', file(`${name}.html`), ...flags],
  });
  const train = (name: string, ...flags: string[]): Step => ({
    name,
    minutes: 15,
    arguments: cli('train', ...on, '--out', file(name), ...flags),
  });
  const paper = ['--preset', 'paper', '--data', file('phantoms-224'), '--steps', '30', '--no-evaluate'];
  return [
    { name: 'probe', minutes: 2, arguments: ['scripts/probe.ts'], output: 'probe.json' },
    ...verify('verify'),
    ...verify('verify-unchecked', '--no-checks'),
    bench('overhead', '--suite', 'overhead'),
    bench('kernels', '--suite', 'kernels'),
    {
      name: 'tune',
      minutes: 10,
      arguments: cli('tune', '--preset', 'paper', '--batch', String(batch), ...on, '--json', file('tune.json')),
    },
    bench('models', '--suite', 'models'),
    bench('peers', '--suite', 'peers'),
    train('phantom-mini', '--preset', 'phantom-mini'),
    train('phantom', '--preset', 'phantom'),
    train('phantom-mixed', '--preset', 'phantom', '--precision', 'mixed'),
    {
      name: 'phantoms-224',
      minutes: 5,
      arguments: cli('phantom', '--out', file('phantoms-224'), '--count', '600', '--size', '224', '--overwrite'),
    },
    train('paper', ...paper, '--batch', String(batch)),
    train('paper-mixed', ...paper, '--batch', String(batch), '--precision', 'mixed'),
    train('paper-128', ...paper, '--batch', '128'),
  ];
}

/** Runs a step with its output in the terminal and in a log. Resolves to its exit code, 124 if its time was up. */
function run({ name, minutes, arguments: rest, output }: Step, out: string): Promise<number> {
  const log = createWriteStream(join(out, `${name}.log`));
  const child = spawn(process.execPath, ['--import', 'tsx', ...rest], { stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    log.write(chunk);
    process.stdout.write(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    log.write(chunk);
    process.stderr.write(chunk);
  });
  return new Promise((resolvePromise) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, minutes * 60_000);
    child.on('close', (code) => {
      clearTimeout(timer);
      log.end();
      const result = late ? 124 : (code ?? 1);
      const keep = output !== undefined && result === 0;
      const kept = keep ? writeFileAtomic(join(out, output), Buffer.concat(chunks)) : Promise.resolve();
      void kept.then(() => resolvePromise(result));
    });
  });
}

async function runAll(flags: Flags): Promise<void> {
  const out = resolve(flags.out);
  mkdirSync(out, { recursive: true });
  const wanted = flags.only?.split(',');
  const steps = stepsOf({ ...flags, out }).filter(({ name }) => wanted?.includes(name) ?? true);
  if (steps.length === 0) throw new Error(`--only ${flags.only}: there is no such step.`);
  const summary: { name: string; exitCode: number; seconds: number }[] = [];
  for (const step of steps) {
    process.stdout.write(`--- ${step.name}\n`);
    const begin = performance.now();
    const exitCode = await run(step, out);
    summary.push({ name: step.name, exitCode, seconds: Math.round((performance.now() - begin) / 1000) });
    await writeJsonAtomic(join(out, 'summary.json'), summary);
  }
  for (const { name, exitCode, seconds } of summary) {
    process.stdout.write(`${exitCode === 0 ? 'ok    ' : `FAILED (${exitCode})`} ${name}, ${seconds} s\n`);
  }
  if (summary.some(({ exitCode }) => exitCode !== 0)) process.exitCode = 1;
}

await new Command('gpu')
  .description('run everything that wants a graphics card, and keep the results')
  .requiredOption('--out <folder>', 'where results and logs go')
  .option('--fixtures <folder>', 'folder with manifest.json and safetensors files; without it nothing is verified')
  .addOption(new Option('--adapter <kind>', 'which processor').choices(adapterChoices).default('gpu'))
  .option('--only <steps>', 'some of the steps, with commas, e.g. probe,verify,kernels')
  .option('--batch <pairs>', 'batch of the paper runs', wholeNumber(1), 32)
  .action(runAll)
  .parseAsync();
