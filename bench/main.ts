/**
 * Times kernels, models and overhead on one device. Figures of a software adapter are only good as ratios within one
 * run, or between runs on the same machine with the noise that both measured.
 */
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { openGpu } from '../src/cli/adapter.ts';
import { command, UsageError } from '../src/cli/common.ts';
import { interruptSignal } from '../src/cli/interrupt.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { writeFileAtomic, writeJsonAtomic } from '../src/io/atomic.node.ts';
import { calibrate } from './measure/roofline.ts';
import { Interrupted } from './measure/rounds.ts';
import { compareResults, comparisonText, readBenchFile, requireSameDevice } from './report/baseline.ts';
import { renderReport } from './report/html.ts';
import type { BenchFile } from './report/schema.ts';
import { short } from './report/text.ts';
import type { BenchOptions } from './run/options.ts';
import { readOptions } from './run/options.ts';
import { progressDisplay } from './run/progress.ts';
import { provenanceOf } from './run/provenance.ts';
import { kernelSuite } from './suites/kernels.ts';
import { modelSuite } from './suites/models.ts';
import { overheadSuite } from './suites/overhead.ts';
import { peerSuite } from './suites/peers.ts';
import type { Suite, SuiteReport } from './suites/suite.ts';

/** In the order in which they run. Another suite is a `Suite` (suites/suite.ts) and a place in this list. */
const suites: readonly Suite[] = [modelSuite, kernelSuite, overheadSuite, peerSuite];

/** One level after the other: `recursive` of Node 20 never returns where the parent refuses folders, as /proc does. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

/** Found out before minutes are spent on measuring. @throws UsageError */
function requireWritable(path: string): void {
  try {
    makeFolder(dirname(resolve(path)));
    if (existsSync(path) && statSync(path).isDirectory()) throw new Error('it is a folder');
    accessSync(existsSync(path) ? path : dirname(path), constants.W_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${path} cannot be written: ${reason}.`);
  }
}

async function chooseSuites(options: BenchOptions): Promise<Suite[]> {
  const counts = await Promise.all(options.suites.map((suite) => suite.count(options)));
  const chosen = options.suites.filter((_, i) => (counts[i] ?? 0) > 0);
  if (chosen.length > 0) return chosen;
  const where = options.suites.map(({ name }) => name).join(', ');
  throw new UsageError(`No case of ${where} contains "${options.only}"; run without --only to see the names.`);
}

async function runSuites(gpu: Gpu, options: BenchOptions, chosen: readonly Suite[], signal: AbortSignal) {
  using _calibration = gpu.scopes.open();
  const { sample, roofline } = await calibrate(gpu);
  const reports: { readonly suite: Suite; readonly report: SuiteReport }[] = [];
  for (const suite of chosen) {
    const progress = progressDisplay(suite.name);
    try {
      const { update: onProgress } = progress;
      const report = await suite.run({ ...options, gpu, signal, onProgress, calibrate: sample });
      reports.push({ suite, report });
    } finally {
      progress.stop();
    }
  }
  return { reports, roofline: roofline() };
}

async function runBenchmark(): Promise<void> {
  const options = readOptions(suites, process.argv);
  const chosen = await chooseSuites(options);
  const baseline = options.baseline === undefined ? undefined : readBenchFile(options.baseline);
  for (const path of [options.json, options.html]) if (path !== undefined) requireWritable(path);
  const { signal, dispose } = interruptSignal('Stopping after this measurement.');
  try {
    using gpu = await openGpu(options.adapter, false);
    const provenance = provenanceOf(gpu);
    if (baseline) requireSameDevice(options.baseline ?? '', baseline, provenance);
    const { reports, roofline } = await runSuites(gpu, options, chosen, signal);
    const extras = reports.flatMap(({ suite, report }) =>
      report.extra === undefined ? [] : [[suite.name, report.extra]],
    );
    const file: BenchFile = {
      ...provenance,
      roofline,
      results: reports.flatMap(({ report }) => report.results),
      extra: Object.fromEntries(extras),
    };
    const { gflops, gigabytesPerSecond } = roofline;
    console.log(`Roofline: ${short(gflops)} GFLOP/s of f32 arithmetic, ${short(gigabytesPerSecond)} GB/s of copying`);
    for (const { suite, report } of reports) console.log(`\n${suite.table(report, roofline)}`);
    if (options.json !== undefined) await writeJsonAtomic(options.json, file);
    if (options.html !== undefined) {
      const sections = reports.map(({ suite, report }) => suite.html(report, roofline));
      await writeFileAtomic(options.html, renderReport(file, sections));
    }
    if (baseline) {
      const comparisons = compareResults(file, baseline);
      console.log(`\n${comparisonText(comparisons, options.baseline ?? '')}`);
      if (comparisons.some(({ verdict }) => verdict === 'slower')) process.exitCode = 1;
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    process.stderr.write('Stopped; nothing was written.\n');
    process.exitCode = 130;
  } finally {
    dispose();
  }
}

await command(runBenchmark)();
