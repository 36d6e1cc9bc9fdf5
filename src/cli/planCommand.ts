import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { openDataset } from '../data/open.node.ts';
import type { Dataset } from '../data/types.ts';
import type { RunConfig } from '../train/config.ts';
import type { DeviceProfile } from '../train/deviceProfiles.ts';
import {
  assumedDispatchSeconds,
  assumedEfficiency,
  estimateSeconds,
  nominalProfiles,
} from '../train/deviceProfiles.ts';
import { defaultSentences, modelBytes, planSettings, planStep, type StepPlan } from '../train/plan.ts';
import { vocabularyOf } from '../train/runFolder.node.ts';
import { formatMemory, UsageError } from './common.ts';
import { type ConfigFlags, runConfigOf } from './configFlags.ts';

/** Flags of `groundray plan`, as commander gives them. */
export interface PlanFlags
  extends Pick<
    ConfigFlags,
    | 'preset'
    | 'config'
    | 'data'
    | 'batch'
    | 'chunk'
    | 'checkpointing'
    | 'precision'
    | 'imageSize'
    | 'objective'
    | 'vocab'
  > {
  readonly memory?: string;
  readonly device?: string;
  readonly roofline?: string;
  readonly efficiency?: number;
  readonly sentences?: number;
  readonly json?: boolean;
}

const units: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** `8GiB`, `500 MB` in bytes. @throws UsageError for anything else. */
export function parseBytes(text: string): number {
  const [, number, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(text) ?? [];
  const bytes = Number(number) * (units[unit.toUpperCase()] ?? Number.NaN);
  if (bytes > 0) return bytes;
  throw new UsageError(`--memory ${text}: expected a number and a unit, such as 8GiB or 500MB.`);
}

function formatSeconds(seconds: number): string {
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(1000 * seconds).toFixed(seconds >= 0.1 ? 0 : 1)} ms`;
}

const rooflineSchema = z.object({
  roofline: z.object({ gflops: z.number().positive(), gigabytesPerSecond: z.number().positive() }),
});

function readRoofline(path: string): DeviceProfile {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`--roofline ${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  const parsed = rooflineSchema.safeParse(value);
  if (!parsed.success) {
    throw new UsageError(
      `--roofline ${path} has no "roofline" with gflops and gigabytesPerSecond, as npm run bench writes.`,
    );
  }
  const { gflops, gigabytesPerSecond } = parsed.data.roofline;
  return { name: path, source: 'measured', flops: gflops * 1e9, bandwidth: gigabytesPerSecond * 1e9 };
}

function profilesOf({ device, roofline }: PlanFlags): readonly DeviceProfile[] {
  if (roofline !== undefined) return [readRoofline(roofline)];
  return nominalProfiles.filter(({ name }) => device === undefined || name === device);
}

/** Training fills in the size of the vocabulary; it decides how large the embedding is. */
function withVocabulary(config: RunConfig, dataset: Dataset | undefined): RunConfig {
  const { data, vocabulary: path, model } = config;
  const isUnknown = path === undefined && data.kind !== 'phantom' && !dataset;
  const vocabulary = isUnknown ? model.text.vocabulary : vocabularyOf(config, dataset?.studies ?? []).length;
  return { ...config, model: { ...model, text: { ...model.text, vocabulary } } };
}

export function describeSetting({ chunkSize, checkpointing }: StepPlan): string {
  const chunks = chunkSize === undefined ? 'the whole batch at once' : `chunks of ${chunkSize}`;
  return `${chunks}, checkpointing ${checkpointing}`;
}

/** The flags that choose a setting. */
export function flagsOf({ batchSize, chunkSize, checkpointing }: StepPlan): string {
  // A chunk of the whole batch is the plain step; without the flag, the chunk of a preset would come back.
  return `--batch ${batchSize} --chunk ${chunkSize ?? batchSize} --checkpointing ${checkpointing}`;
}

function describePlan(plan: StepPlan): string[] {
  const { parameters, gradients, optimizer, batch, step, peak, allocated } = plan.memory;
  const total = (field: 'flops' | 'bytes'): number => plan.dispatches.reduce((sum, cost) => sum + cost[field], 0);
  return [
    `Memory: ${formatMemory(peak)} in use at most, ${formatMemory(allocated)} with freed buffers that wait for reuse`,
    `  parameters ${formatMemory(parameters)}, gradients ${formatMemory(gradients)}, optimizer ${formatMemory(optimizer)}, ` +
      `batch ${formatMemory(batch)}, activations and the like ${formatMemory(step)}`,
    `Work: ${plan.dispatches.length.toLocaleString('en')} dispatches, ${(total('flops') / 1e9).toFixed(1)} GFLOP, ` +
      `${(total('bytes') / 1e9).toFixed(2)} GB`,
  ];
}

function describeTimes(plan: StepPlan, profiles: readonly DeviceProfile[], efficiency: number): string[] {
  return profiles.map((profile) => {
    const seconds = estimateSeconds(plan.dispatches, profile, efficiency);
    const speed = `${(profile.flops / 1e12).toFixed(1)} TFLOP/s, ${(profile.bandwidth / 1e9).toFixed(0)} GB/s`;
    const rate = (plan.batchSize / seconds).toFixed(1);
    return `  ${profile.name} (${profile.source}: ${speed}): ${formatSeconds(seconds)} a step, ${rate} pairs/s`;
  });
}

/** Share of the memory that a suggestion leaves to the driver and the screen, if it can. */
const reserve = 0.1;

/** The fastest of the plans that fit, with some memory to spare where there is one. @throws UsageError if none fits. */
export function suggest(
  plans: readonly StepPlan[],
  budget: number,
  profile: DeviceProfile,
  efficiency: number,
): StepPlan {
  const within = (bytes: number): StepPlan[] => plans.filter(({ memory }) => memory.allocated <= bytes);
  const roomy = within((1 - reserve) * budget);
  const [best] = (roomy.length > 0 ? roomy : within(budget)).sort(
    (a, b) => estimateSeconds(a.dispatches, profile, efficiency) - estimateSeconds(b.dispatches, profile, efficiency),
  );
  if (best) return best;
  const [smallest] = [...plans].sort((a, b) => a.memory.allocated - b.memory.allocated);
  const fixed = smallest ? modelBytes(smallest) : 0;
  const reason =
    smallest === undefined || fixed > budget
      ? `parameters, gradients and optimizer state alone take ${formatMemory(fixed)}`
      : `the least is ${formatMemory(smallest.memory.allocated)}, with ${describeSetting(smallest)}`;
  throw new UsageError(
    `Nothing fits into ${formatMemory(budget)}: ${reason}. Use a smaller model, batch or image size.`,
  );
}

function summaryOf(plan: StepPlan, profiles: readonly DeviceProfile[], efficiency: number) {
  const { dispatches, ...rest } = plan;
  const seconds = profiles.map((profile) => [profile.name, estimateSeconds(dispatches, profile, efficiency)]);
  const sum = (field: 'flops' | 'bytes'): number => dispatches.reduce((all, cost) => all + cost[field], 0);
  const work = { dispatches: dispatches.length, flops: sum('flops'), bytes: sum('bytes') };
  return { ...rest, work, secondsPerStep: Object.fromEntries(seconds) };
}

function describeSearch(
  plans: readonly StepPlan[],
  best: StepPlan,
  budget: number,
  profile: DeviceProfile,
  efficiency: number,
): string[] {
  const settings = plans.map((setting) => {
    const { allocated } = setting.memory;
    const time = formatSeconds(estimateSeconds(setting.dispatches, profile, efficiency));
    const verdict = allocated <= budget ? 'fits' : 'too large';
    return `  ${describeSetting(setting)}: ${formatMemory(allocated)}, ${time} a step, ${verdict}`;
  });
  const spare = best.memory.allocated <= (1 - reserve) * budget ? 'a tenth of the memory' : 'little';
  return [
    `What fits into ${formatMemory(budget)} (times for ${profile.name}):`,
    ...settings,
    `Suggestion, with ${spare} to spare: ${describeSetting(best)} (${flagsOf(best)}).`,
  ];
}

function describeEpoch({ name, studies }: Dataset, { batchSize }: RunConfig): string {
  const training = studies.filter(({ split }) => split === 'train').length;
  const steps = Math.floor(training / batchSize).toLocaleString('en');
  return `Data: ${name}, ${training.toLocaleString('en')} training studies, ${steps} steps an epoch`;
}

/** `groundray plan` */
export async function plan(flags: PlanFlags): Promise<void> {
  const given = runConfigOf(flags);
  const dataset = flags.data === undefined ? undefined : await openDataset(given.data);
  const config = withVocabulary(given, dataset);
  const profiles = profilesOf(flags);
  const [reference] = profiles;
  if (!reference) throw new UsageError('There is no device to plan for.');
  const { efficiency = assumedEfficiency, sentences = defaultSentences } = flags;
  const budget = flags.memory === undefined ? undefined : parseBytes(flags.memory);
  const print = (lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`);
  const chosen = await planStep(config, { sentences });
  if (!flags.json) {
    const share = `${(100 * efficiency).toFixed(0)} % of each device's best and ${1e6 * assumedDispatchSeconds} us per dispatch`;
    const longest = Math.min(sentences, config.maxSentences ?? sentences);
    print([
      `A step of ${config.preset}: batch ${config.batchSize}, ${describeSetting(chosen)}. Planned, nothing was run.`,
      `Reports of at most ${config.maxTokens} tokens and ${longest} sentences, ${config.model.text.vocabulary} word pieces`,
      ...(dataset ? [describeEpoch(dataset, config)] : []),
      ...describePlan(chosen),
      `Time, at ${share} (assumed):`,
      ...describeTimes(chosen, profiles, efficiency),
    ]);
  }
  const plans = budget === undefined ? [] : await planSettings(config, budget, { sentences });
  const best = budget === undefined ? undefined : suggest(plans, budget, reference, efficiency);
  if (flags.json) {
    const summary = (given: StepPlan) => summaryOf(given, profiles, efficiency);
    const assumptions = { efficiency, dispatchSeconds: assumedDispatchSeconds, sentences, devices: profiles };
    const search = best && { budgetBytes: budget, settings: plans.map(summary), suggestion: summary(best) };
    print([JSON.stringify({ preset: config.preset, assumptions, plan: summary(chosen), ...search }, null, 2)]);
  } else if (best && budget !== undefined) print(describeSearch(plans, best, budget, reference, efficiency));
}
