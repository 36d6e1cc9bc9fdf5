import { describeAdapter } from '../gpu/adapter.ts';
import { createGpu } from '../gpu/create.node.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { fileStore, nodeRuntime } from '../kernels/tuning/fileStore.node.ts';
import { openTuning, type Tuning } from '../kernels/tuning/open.ts';
import { type TuneMode, tuneModes } from '../kernels/tuning/plans.ts';
import { type AdapterChoice, UsageError } from './common.ts';

/** `--tune`, else `$GROUNDRAY_TUNE`, else `cached`. @throws UsageError if the variable is none of them */
export function tuneModeOf(flag: TuneMode | undefined): TuneMode {
  const wanted = flag ?? (process.env.GROUNDRAY_TUNE || 'cached');
  const mode = tuneModes.find((known) => known === wanted);
  if (!mode) throw new UsageError(`GROUNDRAY_TUNE is "${wanted}"; expected one of ${tuneModes.join(', ')}.`);
  return mode;
}

/**
 * Makes the device for a command, with the tuned plans that are known for it, and says in a line which adapter runs.
 * @param checks keep Dawn's validation and bounds checks on.
 * @param print where the line goes.
 */
export async function openTunedGpu(
  choice: AdapterChoice,
  checks: boolean,
  tune: TuneMode | undefined,
  print: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<{ readonly gpu: Gpu; readonly tuning: Tuning }> {
  const mode = tuneModeOf(tune);
  // Without a choice GROUNDRAY_ADAPTER decides.
  const adapter = choice === 'auto' ? {} : { adapter: choice === 'gpu' ? ('hardware' as const) : choice };
  const gpu = await createGpu({ ...adapter, checks, requireHardware: choice === 'gpu' });
  print(`Adapter: ${describeAdapter(gpu.adapter)}\n`);
  const warn = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  const tuning = await openTuning(gpu, { mode, runtime: nodeRuntime(), store: fileStore(), warn });
  return { gpu, tuning };
}

/** As `openTunedGpu`, for commands that only use what is known. */
export async function openGpu(choice: AdapterChoice, checks: boolean, print?: (text: string) => void): Promise<Gpu> {
  return (await openTunedGpu(choice, checks, undefined, print)).gpu;
}
