import { describeAdapter } from '../gpu/adapter.ts';
import { createGpu } from '../gpu/create.node.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { AdapterChoice } from './common.ts';

/**
 * Makes the device for a command and says in a line which adapter runs.
 * @param checks keep Dawn's validation and bounds checks on.
 * @param print where the line goes.
 */
export async function openGpu(
  choice: AdapterChoice,
  checks: boolean,
  print: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<Gpu> {
  // Without a choice GROUNDRAY_ADAPTER decides.
  const adapter = choice === 'auto' ? {} : { adapter: choice === 'gpu' ? ('hardware' as const) : choice };
  const gpu = await createGpu({ ...adapter, checks, requireHardware: choice === 'gpu' });
  print(`Adapter: ${describeAdapter(gpu.adapter)}\n`);
  return gpu;
}
