import * as z from 'zod';
import type { TensorFile } from '../io/tensorFile.ts';
import type { HostArray, ParameterArena } from '../nn/arena.ts';
import type { Optimizer } from '../nn/optimizer.ts';
import { ConfigError } from './errors.ts';

const modelPrefix = 'model.';
const optimizerPrefix = 'optimizer.';

const progressSchema = z.object({
  /** Optimizer steps done; the data position and the random streams derive from it and the seed. */
  step: z.number().int().nonnegative(),
  bestValidation: z.number().nullable(),
  /** Only in mixed precision. */
  lossScale: z.object({ scale: z.number(), goodSteps: z.number() }).exactOptional(),
});
export type Progress = z.infer<typeof progressSchema>;

/** What a checkpoint file holds: tensors by name, and metadata. */
export interface CheckpointContents {
  readonly tensors: ReadonlyMap<string, HostArray>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Parameters, running statistics, optimizer state and progress, as the contents of one safetensors file. */
export async function checkpointContents(
  arena: ParameterArena,
  optimizer: Optimizer,
  progress: Progress,
): Promise<CheckpointContents> {
  const tensors = new Map<string, HostArray>();
  for (const [name, array] of await arena.state()) tensors.set(modelPrefix + name, array);
  for (const [name, array] of (await optimizer.state()).tensors) tensors.set(optimizerPrefix + name, array);
  return { tensors, metadata: { progress: JSON.stringify(progress) } };
}

/** Progress that a file's metadata tell of; undefined where it is no checkpoint. */
export function progressOf({ progress }: Readonly<Record<string, string>>): Progress | undefined {
  return progress === undefined ? undefined : progressSchema.parse(JSON.parse(progress));
}

/** Progress of a checkpoint. @throws ConfigError if the file is none. */
export function progressIn({ file, metadata }: TensorFile): Progress {
  const progress = progressOf(metadata);
  if (!progress) throw new ConfigError(`${file}: expected a checkpoint, found a file that tells of no progress.`);
  return progress;
}

/** Name in the model of a tensor of a checkpoint; undefined for those of the optimizer. */
export function modelName(name: string): string | undefined {
  return name.startsWith(modelPrefix) ? name.slice(modelPrefix.length) : undefined;
}

/**
 * Restores what `checkpointContents` gave; without an optimizer only the model.
 * @throws ConfigError if the file is no checkpoint, or belongs to another model.
 */
export function restoreCheckpoint(file: TensorFile, arena: ParameterArena, optimizer?: Optimizer): Progress {
  const progress = progressIn(file);
  const shapes = arena.shapes();
  for (const [name, shape] of shapes) {
    const found = file.info(modelPrefix + name).shape;
    if (found.join() !== shape.join()) {
      throw new ConfigError(
        `${file.file}: tensor ${name} has shape [${found.join(', ')}], this model expects [${shape.join(', ')}].`,
      );
    }
  }
  for (const name of shapes.keys()) arena.load([[name, file.tensor(modelPrefix + name).data]]);
  if (optimizer) {
    const state = new Map<string, HostArray>();
    for (const name of file.names()) {
      if (name.startsWith(optimizerPrefix)) state.set(name.slice(optimizerPrefix.length), file.tensor(name));
    }
    optimizer.load({ step: progress.step, tensors: state });
  }
  return progress;
}
