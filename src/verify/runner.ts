import { GpuError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { TensorFileError } from '../io/errors.ts';
import { readSafetensors } from '../io/safetensors.ts';
import type { TensorFile } from '../io/tensorFile.ts';
import { CaseContext } from './caseContext.ts';
import { findRunner } from './cases/index.ts';
import type { CaseRunner } from './cases/operator.ts';
import { FixtureError } from './errors.ts';
import type { FixtureCase, FixtureGroup, FixtureSource, Manifest } from './format.ts';
import { readManifest } from './format.ts';
import type { CaseReport, GroupReport } from './report.ts';
import { hasFailed, summarizeGroup } from './report.ts';

export interface VerifyOptions {
  /** Only this group. */
  readonly group?: string | undefined;
  /** Only cases whose name fits; `*` stands for any text and `?` for one character. */
  readonly case?: string | undefined;
  readonly onCase?: ((report: CaseReport) => void) | undefined;
  readonly onGroup?: ((report: GroupReport) => void) | undefined;
}

/** A device that is made anew after an error that WebGPU does not recover from. */
class Device {
  private readonly open: () => Promise<Gpu>;
  private current: Gpu | undefined;

  constructor(open: () => Promise<Gpu>) {
    this.open = open;
  }

  async get(): Promise<Gpu> {
    this.current ??= await this.open();
    return this.current;
  }

  close(): void {
    this.current?.dispose();
    this.current = undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function runCase(device: Device, group: string, spec: FixtureCase, file: TensorFile): Promise<CaseReport> {
  const started = performance.now();
  const report = (status: CaseReport['status'], rest: Partial<CaseReport> = {}): CaseReport => ({
    group,
    name: spec.name,
    op: spec.op,
    status,
    checks: [],
    milliseconds: performance.now() - started,
    ...rest,
  });
  let runner: CaseRunner | undefined;
  try {
    runner = await findRunner(spec.op);
  } catch (error) {
    return report('unsupported', { problem: `operator "${spec.op}" cannot be loaded: ${messageOf(error)}` });
  }
  if (!runner) return report('unsupported', { problem: `the engine has no operator "${spec.op}"` });
  let checks: CaseContext['checks'] = [];
  try {
    const context = new CaseContext(await device.get(), spec, file);
    checks = context.checks;
    await runner(context);
    context.finish();
  } catch (error) {
    // Validation errors and lost devices stick to the device.
    if (error instanceof GpuError) device.close();
    return report('failed', { problem: messageOf(error), checks });
  }
  const failed = checks.length === 0 || checks.some(hasFailed);
  return report(failed ? 'failed' : 'passed', {
    checks,
    ...(checks.length === 0 ? { problem: 'the case has nothing to compare' } : {}),
  });
}

function globPattern(glob: string): RegExp {
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

function selectGroups(manifest: Manifest, options: VerifyOptions, location: string): FixtureGroup[] {
  const names = manifest.groups.map(({ name }) => name);
  if (options.group !== undefined && !names.includes(options.group)) {
    throw new FixtureError(`${location} has no group "${options.group}"; its groups are ${names.join(', ')}.`);
  }
  const pattern = globPattern(options.case ?? '*');
  const groups = manifest.groups
    .filter(({ name }) => options.group === undefined || name === options.group)
    .map((group) => ({ ...group, cases: group.cases.filter(({ name }) => pattern.test(name)) }))
    .filter(({ cases }) => cases.length > 0);
  if (groups.length === 0) throw new FixtureError(`No case in ${location} fits "${options.case ?? '*'}".`);
  return groups;
}

async function runGroup(
  device: Device,
  source: FixtureSource,
  group: FixtureGroup,
  options: VerifyOptions,
): Promise<GroupReport> {
  const reports: CaseReport[] = [];
  const add = (report: CaseReport): void => {
    reports.push(report);
    options.onCase?.(report);
  };
  try {
    const file = readSafetensors(await source.read(group.file), group.file);
    for (const spec of group.cases) add(await runCase(device, group.name, spec, file));
  } catch (error) {
    if (!(error instanceof FixtureError || error instanceof TensorFileError)) throw error;
    const problem = error.message;
    for (const { name, op } of group.cases) {
      add({ group: group.name, name, op, status: 'failed', problem, checks: [], milliseconds: 0 });
    }
  }
  return summarizeGroup(group.name, reports);
}

/**
 * Runs the cases of a fixtures folder on the engine, one after the other. A case that throws has failed; the others go on.
 * @param openGpu makes the device, and makes it again after an error that a device does not survive.
 * @throws FixtureError if the manifest cannot be read or nothing fits the selection, GpuError if there is no device.
 */
export async function runFixtures(
  source: FixtureSource,
  openGpu: () => Promise<Gpu>,
  options: VerifyOptions = {},
): Promise<GroupReport[]> {
  const groups = selectGroups(await readManifest(source), options, source.location);
  const device = new Device(openGpu);
  const reports: GroupReport[] = [];
  try {
    // Without any device there is nothing to report about the cases.
    await device.get();
    for (const group of groups) {
      const report = await runGroup(device, source, group, options);
      reports.push(report);
      options.onGroup?.(report);
    }
  } finally {
    device.close();
  }
  return reports;
}
