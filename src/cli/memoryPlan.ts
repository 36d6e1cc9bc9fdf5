import { totalmem } from 'node:os';
import { GpuError, ShapeError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { deviceLike, type StandInDevice } from '../gpu/standIn.ts';
import type { RunConfig } from '../train/config.ts';
import { assumedEfficiency, nominalProfiles } from '../train/deviceProfiles.ts';
import { modelBytes, planSettings, planStep, type StepPlan } from '../train/plan.ts';
import { formatMemory, UsageError } from './common.ts';
import { describeSetting, flagsOf, suggest } from './planCommand.ts';

/** From here on a step may not fit into a graphics card, whose memory WebGPU does not tell. */
const worthAWord = 2 ** 30;

/** What there is to compare with. */
interface Budget {
  readonly bytes: number;
  /** Completes "more than ...". */
  readonly name: string;
  /** The user's own word is binding; the size of main memory is not, as there may be swap. */
  readonly binding: boolean;
}

/**
 * Prints before a training what a step of it takes, on a device with the limits of this one, and what to change where it
 * does not fit.
 *
 * @param memory Bytes that the user gives; without them a software adapter is compared with the machine's main memory.
 * @throws UsageError where it does not fit into the given memory, or needs a buffer that the device does not offer.
 */
export async function printMemory(gpu: Gpu, config: RunConfig, memory?: number): Promise<void> {
  const budget = budgetOf(gpu, memory);
  const lines = await memoryLines(deviceLike(gpu), config, budget);
  process.stdout.write(`${lines.join('\n')}\n`);
}

function budgetOf({ adapter }: Gpu, memory: number | undefined): Budget | undefined {
  if (memory !== undefined) {
    return { bytes: memory, name: `the ${formatMemory(memory)} of --memory`, binding: true };
  }
  if (adapter.kind !== 'software') return undefined;
  return { bytes: totalmem(), name: `the ${formatMemory(totalmem())} of this machine`, binding: false };
}

/** The lines of `printMemory`. @throws UsageError like it. */
export async function memoryLines(
  device: StandInDevice,
  config: RunConfig,
  budget: Budget | undefined,
): Promise<string[]> {
  let plan: StepPlan;
  try {
    plan = await planStep(config, { device });
  } catch (error) {
    if (!(error instanceof GpuError || error instanceof ShapeError)) throw error;
    const limit = budget?.bytes ?? Number.POSITIVE_INFINITY;
    throw new UsageError(
      `This setting does not run on the adapter: ${error.message} ${await advice(device, config, limit)}`,
    );
  }
  const { allocated, step } = plan.memory;
  const lines = [
    `Memory: ${formatMemory(allocated)} in a step (model with gradients and optimizer ${formatMemory(modelBytes(plan))}, ` +
      `activations ${formatMemory(step)}), ${describeSetting(plan)}`,
  ];
  if (budget && allocated > budget.bytes) {
    const problem = `That is more than ${budget.name}. ${await advice(device, config, budget.bytes)}`;
    if (budget.binding) throw new UsageError(`${lines[0]}. ${problem}`);
    return [...lines, problem];
  }
  if (!budget && allocated >= worthAWord) {
    lines.push('How much this card has, WebGPU does not tell: --memory 8GiB, say, compares before anything runs.');
  }
  return lines;
}

/** What to change, as flags that were found to fit. */
async function advice(device: StandInDevice, config: RunConfig, budget: number): Promise<string> {
  const half = device.features.includes('shader-f16') && config.precision === 'f32';
  const [reference] = nominalProfiles;
  for (const changed of attempts(config, half)) {
    const best = reference && (await bestSetting(device, changed, budget, reference));
    if (!best) continue;
    const precision = changed.precision === config.precision ? '' : ` --precision ${changed.precision}`;
    return `${formatMemory(best.memory.allocated)} would do: ${flagsOf(best)}${precision}.`;
  }
  return 'No --chunk, --checkpointing, --batch or --precision makes it fit: use a smaller --image-size or model.';
}

/** The same batch first, then in 16 bits where the device has them, then ever smaller batches. */
function* attempts(config: RunConfig, half: boolean): Generator<RunConfig> {
  yield config;
  if (half) yield { ...config, precision: 'mixed' };
  const { chunkSize: _chunk, ...rest } = config;
  for (let batchSize = config.batchSize >> 1; batchSize >= 2; batchSize >>= 1) yield { ...rest, batchSize };
}

async function bestSetting(
  device: StandInDevice,
  config: RunConfig,
  budget: number,
  profile: (typeof nominalProfiles)[number],
): Promise<StepPlan | undefined> {
  try {
    const plans = await planSettings(config, budget, { device });
    return suggest(plans, budget, profile, assumedEfficiency);
  } catch (error) {
    if (error instanceof UsageError || error instanceof GpuError || error instanceof ShapeError) return undefined;
    throw error;
  }
}
