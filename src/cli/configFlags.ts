import { existsSync, readFileSync } from 'node:fs';
import { specOfFolder } from '../data/open.node.ts';
import { mergeConfig, parseRunConfig, type RunConfig } from '../train/config.ts';
import { ConfigError } from '../train/errors.ts';
import { presets } from '../train/presets.ts';

/** Flags that change a run's configuration, as commander gives them. */
export interface ConfigFlags {
  readonly preset?: string;
  readonly config?: string;
  readonly data?: string;
  readonly seed?: number;
  readonly steps?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly chunk?: number;
  readonly checkpointing?: string;
  readonly precision?: string;
  readonly lr?: number;
  readonly imageSize?: number;
  readonly objective?: string;
  readonly vocab?: string;
  readonly bert?: string;
  readonly resnet?: string;
}

/** Fields that are present in `values`, so that an absent flag changes nothing. */
function given(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function readConfigFile(path: string): unknown {
  if (!existsSync(path)) throw new ConfigError(`--config ${path}: there is no such file.`);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(`--config ${path} is not valid JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** A preset's chunks follow the batch down; those that the user chose are taken at their word. */
function chunkFor(flags: ConfigFlags, file: unknown, { batchSize, chunkSize }: RunConfig): number | undefined {
  if (flags.chunk !== undefined) return flags.chunk;
  const isChosen = typeof file === 'object' && file !== null && 'chunkSize' in file;
  const batch = flags.batch ?? batchSize;
  return !isChosen && chunkSize !== undefined && batch < chunkSize ? batch : undefined;
}

/**
 * What flags say of a run: preset, then the file, then the flags. The data may be missing.
 * @throws ConfigError that names the field.
 */
export function runConfigOf(flags: ConfigFlags): RunConfig {
  const file = flags.config ? readConfigFile(flags.config) : {};
  const fromFile = typeof file === 'object' && file !== null && 'preset' in file ? String(file.preset) : undefined;
  const name = flags.preset ?? fromFile ?? 'phantom-mini';
  const preset = presets[name];
  if (!preset)
    throw new ConfigError(`There is no preset "${name}"; the presets are ${Object.keys(presets).join(', ')}.`);
  let config = mergeConfig(preset, file) as RunConfig;
  const { steps, epochs } = flags;
  if (steps !== undefined || epochs !== undefined) {
    const { steps: _steps, epochs: _epochs, ...rest } = config;
    config = { ...rest, ...given({ steps, epochs }) } as RunConfig;
  }
  if (flags.data !== undefined) config = { ...config, data: specOfFolder(flags.data) };
  const changes = given({
    seed: flags.seed,
    batchSize: flags.batch,
    chunkSize: chunkFor(flags, file, config),
    checkpointing: flags.checkpointing,
    precision: flags.precision,
    imageSize: flags.imageSize,
    vocabulary: flags.vocab,
    schedule: flags.lr === undefined ? undefined : { learningRate: flags.lr },
    objective: flags.objective === undefined ? undefined : { objective: flags.objective },
    weights: given({ text: flags.bert, visual: flags.resnet }),
  });
  return parseRunConfig(mergeConfig(config, changes), flags.config ?? 'the command line');
}

/** The configuration of a new run. @throws ConfigError that names the field, or if there are no data to train on. */
export function configFromFlags(flags: ConfigFlags): RunConfig {
  const config = runConfigOf(flags);
  if (config.data.kind === 'folder' && config.data.path === '') {
    throw new ConfigError(`The preset ${config.preset} needs data of yours: --data <folder with a manifest.csv>.`);
  }
  return config;
}
