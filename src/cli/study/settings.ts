import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { writeJsonAtomic } from '../../io/atomic.node.ts';
import { type RunConfig, runConfigSchema } from '../../train/config.ts';
import { ConfigError } from '../../train/errors.ts';
import { type ConfigFlags, configFromFlags, runConfigOf } from '../configFlags.ts';
import type { AdapterFlags } from '../flags.ts';

/** Flags of `groundray study`, as commander gives them. */
export interface StudyFlags extends AdapterFlags {
  readonly preset?: string;
  readonly config?: string;
  readonly data?: string;
  readonly seeds?: readonly number[];
  readonly objectives?: readonly string[];
  readonly steps?: number;
  readonly images?: number;
  readonly out?: string;
}

const fileName = 'settings.json';

const settingsSchema = z.strictObject({
  kind: z.literal('groundray-study-settings'),
  /** Of all runs, but for objective and seed. */
  config: runConfigSchema,
  conditions: z.array(z.string()).min(1),
  seeds: z.array(z.number().int().nonnegative()).min(1),
  /** As `describeAdapter` names it: another one rounds otherwise, and its runs end elsewhere. */
  adapter: z.string(),
});

/** What decides a study; saved in its folder before the first run. */
export type StudySettings = z.infer<typeof settingsSchema>;

const defaultConditions = ['sentence-local', 'word-local', 'global'];
const defaultSeeds = [0, 1, 2];

/** The settings stored in a study's folder; undefined where there are none. @throws ConfigError if they are not valid. */
export function readSettings(folder: string): StudySettings | undefined {
  const path = join(folder, fileName);
  if (!existsSync(path)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(`${path} is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const result = settingsSchema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new ConfigError(`${path}: ${issue?.path.join('.') || 'the file'}: ${issue?.message ?? 'is not valid'}.`);
}

export async function writeSettings(folder: string, settings: StudySettings): Promise<void> {
  await writeJsonAtomic(join(folder, fileName), settings);
}

/**
 * The settings that flags ask for, in a folder that may hold a study already. Flags that are absent keep what the study
 * has; seeds and objectives may be added to it, as that changes no run.
 *
 * @throws ConfigError when the flags would change runs of the study, or leave out some of them.
 */
export function settleStudy(flags: StudyFlags, adapter: string, folder: string): StudySettings {
  const stored = readSettings(folder);
  const wanted: StudySettings = {
    kind: 'groundray-study-settings',
    config: wantedConfig(flags, stored?.config),
    conditions: [...(flags.objectives ?? stored?.conditions ?? defaultConditions)],
    seeds: [...(flags.seeds ?? stored?.seeds ?? defaultSeeds)],
    adapter,
  };
  if (stored) refuseChanges(stored, wanted, folder);
  return wanted;
}

/** `--out`, or a folder named after the preset. */
export function studyFolder(flags: StudyFlags): string {
  return flags.out ?? `studies/${runConfigOf(configFlags(flags)).preset}`;
}

/** Preset, file and data of a study's runs, without the flags that are absent. */
function configFlags({ preset, config, data }: StudyFlags): ConfigFlags {
  return {
    ...(preset === undefined ? {} : { preset }),
    ...(config === undefined ? {} : { config }),
    ...(data === undefined ? {} : { data }),
  };
}

/** The stored configuration with what the flags name, or a new one. */
function wantedConfig(flags: StudyFlags, stored: RunConfig | undefined): RunConfig {
  const { steps, images } = flags;
  const asked = configFlags(flags);
  const base = stored && Object.keys(asked).length === 0 ? stored : configFromFlags(asked);
  const { epochs, ...rest } = base;
  return {
    ...(steps === undefined ? base : { ...rest, steps }),
    ...(images === undefined ? {} : { evaluateImages: images }),
  };
}

function refuseChanges(stored: StudySettings, wanted: StudySettings, folder: string): void {
  const elsewhere = 'Choose another --out for it';
  const changed = firstDifference(plain(stored.config), plain(wanted.config), '');
  if (changed) {
    throw new ConfigError(
      `${folder} holds a study with ${changed.field} ${changed.found}, and ${changed.expected} was asked for: its runs ` +
        `could not be compared. ${elsewhere}, or leave the flag out to go on.`,
    );
  }
  if (stored.adapter !== wanted.adapter) {
    throw new ConfigError(
      `${folder} holds a study that was measured on ${stored.adapter}, not on ${wanted.adapter}, where runs end ` +
        `elsewhere. ${elsewhere}, or go on with the same --adapter.`,
    );
  }
  const missing = [
    ...stored.conditions.filter((name) => !wanted.conditions.includes(name)),
    ...stored.seeds.filter((seed) => !wanted.seeds.includes(seed)).map((seed) => `seed ${seed}`),
  ];
  if (missing.length > 0) {
    throw new ConfigError(
      `${folder} holds a study with ${missing.join(', ')} as well: objectives and seeds can be added, not taken away. ` +
        `${elsewhere}, or leave the flag out to go on.`,
    );
  }
}

/** As it is read back: no keys without a value. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function firstDifference(
  found: unknown,
  expected: unknown,
  field: string,
): { field: string; found: string; expected: string } | undefined {
  if (isDeepStrictEqual(found, expected)) return undefined;
  const isRecord = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isRecord(found) && isRecord(expected)) {
    for (const key of new Set([...Object.keys(found), ...Object.keys(expected)])) {
      const inner = firstDifference(found[key], expected[key], field === '' ? key : `${field}.${key}`);
      if (inner) return inner;
    }
  }
  const text = (value: unknown) => (value === undefined ? 'not set' : JSON.stringify(value));
  return { field, found: text(found), expected: text(expected) };
}
