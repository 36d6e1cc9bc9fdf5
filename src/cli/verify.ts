import type { Command } from 'commander';
import { Option } from 'commander';
import type { AdapterSummary } from '../gpu/adapter.ts';
import type { CaseReport, GroupReport } from '../verify/report.ts';
import { type AdapterChoice, adapterChoices, command } from './common.ts';

interface Options {
  readonly fixtures: string;
  readonly group?: string;
  readonly case?: string;
  readonly adapter: AdapterChoice;
  readonly json?: string;
  readonly browser?: boolean;
  readonly checks: boolean;
}

export function registerVerify(program: Command): void {
  program
    .command('verify')
    .description('check the engine against a folder of numeric fixtures')
    .requiredOption('--fixtures <folder>', 'folder with manifest.json and safetensors files')
    .option('--group <name>', 'only this group')
    .option('--case <glob>', 'only cases whose name fits, e.g. "conv2d_0*"')
    .addOption(
      new Option('--adapter <kind>', 'which processor runs the kernels; gpu demands hardware')
        .choices(adapterChoices)
        .default('auto'),
    )
    .option('--json <file>', 'also write the report as JSON')
    .option('--browser', 'run in headless Chromium instead of Node')
    .option('--no-checks', "without WebGPU's validation and bounds checks, as training and benchmarks run")
    .action(command(verify));
}

async function verify(options: Options): Promise<void> {
  const { describeAdapter } = await import('../gpu/adapter.ts');
  const { failureLines, groupRow, summaryLine, tableHeader } = await import('../verify/table.ts');
  const print = (line: string): void => void process.stdout.write(`${line}\n`);

  let adapter: AdapterSummary | undefined;
  const onAdapter = (summary: AdapterSummary): void => {
    // A device that is opened again after an error is the same one.
    if (!adapter) print(`Adapter: ${describeAdapter(summary)}\n${tableHeader()}`);
    adapter = summary;
  };
  const onCase = (report: CaseReport): void => {
    for (const line of failureLines(report)) print(line);
  };
  const onGroup = (report: GroupReport): void => print(groupRow(report));
  const run = options.browser ? runInBrowser : runInNode;
  const groups = await run(options, { onAdapter, onCase, onGroup });
  print(summaryLine(groups));
  if (options.json !== undefined) await writeReport(options.json, adapter, groups);
  if (groups.some(({ failed }) => failed > 0)) process.exitCode = 1;
}

interface Events {
  readonly onAdapter: (summary: AdapterSummary) => void;
  readonly onCase: (report: CaseReport) => void;
  readonly onGroup: (report: GroupReport) => void;
}

async function runInNode(options: Options, { onAdapter, ...events }: Events): Promise<GroupReport[]> {
  const { createGpu } = await import('../gpu/create.node.ts');
  const { runFixtures } = await import('../verify/runner.ts');
  const { folderSource } = await import('../verify/source.node.ts');
  const adapter = options.adapter === 'gpu' ? 'hardware' : options.adapter;
  const openGpu = async () => {
    const gpu = await createGpu({ checks: options.checks, ...(adapter === 'auto' ? {} : { adapter }) });
    onAdapter(gpu.adapter);
    return gpu;
  };
  const { group, case: glob } = options;
  return runFixtures(folderSource(options.fixtures), openGpu, { group, case: glob, ...events });
}

async function writeReport(
  path: string,
  adapter: AdapterSummary | undefined,
  groups: readonly GroupReport[],
): Promise<void> {
  const { writeFileAtomic } = await import('../io/atomic.node.ts');
  // JSON has no NaN and no infinities; as text they stay visible.
  const keepNonFinite = (_: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  await writeFileAtomic(path, `${JSON.stringify({ adapter, groups }, keepNonFinite, 2)}\n`);
}

async function runInBrowser(options: Options, events: Events): Promise<GroupReport[]> {
  const { verifyInBrowser } = await import('../verify/browser/launch.node.ts');
  const { folderSource } = await import('../verify/source.node.ts');
  return verifyInBrowser(folderSource(options.fixtures), { ...options, ...events });
}
