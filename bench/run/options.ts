import { Command, InvalidArgumentError } from 'commander';
import type { AdapterChoice } from '../../src/cli/common.ts';
import { adapterOf, wholeNumber, withAdapterFlags } from '../../src/cli/flags.ts';
import type { Suite, SuiteOptions } from '../suites/suite.ts';

export interface BenchOptions extends SuiteOptions {
  readonly suites: readonly Suite[];
  readonly adapter: AdapterChoice;
  readonly json: string | undefined;
  readonly html: string | undefined;
  readonly baseline: string | undefined;
}

interface Flags {
  readonly suite?: readonly string[];
  readonly only: string;
  readonly adapter?: AdapterChoice;
  readonly gpu?: boolean;
  readonly batch?: readonly number[];
  readonly rounds?: number;
  readonly browser?: boolean;
  readonly json?: string;
  readonly html?: string;
  readonly baseline?: string;
}

function batchList(text: string): number[] {
  const values = text.split(',').map(Number);
  if (values.every((value) => Number.isInteger(value) && value > 0)) return values;
  throw new InvalidArgumentError('Expected whole numbers of 1 or more, separated by commas.');
}

function listOf(names: readonly string[]): (text: string) => readonly string[] {
  return (text) => {
    const chosen = text === 'all' ? names : text.split(',');
    const unknown = chosen.find((name) => !names.includes(name));
    if (unknown === undefined) return chosen;
    throw new InvalidArgumentError(`There is no suite "${unknown}"; there are ${names.join(', ')} and all.`);
  };
}

/** Reads the command line; commander prints help and mistakes, and ends the process after either. */
export function readOptions(suites: readonly Suite[], argv: readonly string[]): BenchOptions {
  const names = suites.map(({ name }) => name);
  const command = new Command('npm run bench --')
    .description('Measures models, kernels, overhead and other libraries on one device, with the noise of the machine.')
    .option('--suite <names>', `which cases: ${names.join(', ')}, several with commas, or all (default)`, listOf(names))
    .option('--only <text>', 'cases whose name or family contains the text', '')
    .option('--batch <list>', 'images or texts per case, e.g. 1,32,128 (default: by adapter)', batchList)
    .option('--rounds <n>', 'measurements of each case (default: 5, dear ones 3)', wholeNumber(1))
    .option('--browser', 'the suite peers runs in headless Chromium')
    .option('--json <file>', 'write the results there')
    .option('--html <file>', 'write a report there: one page, no network')
    .option('--baseline <file>', 'compare with an earlier --json of the same device; exit code 1 if a case is slower')
    .addHelpText('after', `\nSuites:\n${suites.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}`)
    .allowExcessArguments(false);
  withAdapterFlags(command).parse(argv);
  const flags = command.opts<Flags>();
  return {
    suites: suites.filter(({ name }) => (flags.suite ?? names).includes(name)),
    only: flags.only.toLowerCase(),
    batches: flags.batch,
    rounds: flags.rounds,
    browser: flags.browser === true,
    adapter: adapterOf(flags),
    json: flags.json,
    html: flags.html,
    baseline: flags.baseline,
  };
}
