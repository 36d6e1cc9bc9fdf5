import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../io/atomic.node.ts';
import { openTensorFile } from '../io/openTensors.node.ts';
import { safetensorsChunks } from '../io/safetensors.ts';
import type { TensorFile } from '../io/tensorFile.ts';
import type { ParameterArena } from '../nn/arena.ts';
import type { Optimizer } from '../nn/optimizer.ts';
import { ConfigError } from './errors.ts';

const fileName = 'checkpoint.safetensors';
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

/** Writes parameters, running statistics, optimizer state and progress as one file, atomically. */
export async function saveCheckpoint(
  folder: string,
  arena: ParameterArena,
  optimizer: Optimizer,
  progress: Progress,
): Promise<void> {
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>();
  for (const [name, array] of await arena.state()) tensors.set(modelPrefix + name, array);
  for (const [name, array] of (await optimizer.state()).tensors) tensors.set(optimizerPrefix + name, array);
  await writeFileAtomic(join(folder, fileName), safetensorsChunks(tensors, { progress: JSON.stringify(progress) }));
}

export function checkpointPath(folder: string): string {
  return join(folder, fileName);
}

export function hasCheckpoint(folder: string): boolean {
  return existsSync(checkpointPath(folder));
}

/** Steps that the metadata of a checkpoint tell of; undefined where they don't. */
export function stepOf({ progress }: Readonly<Record<string, string>>): number | undefined {
  return progress === undefined ? undefined : progressSchema.parse(JSON.parse(progress)).step;
}

/** Name in the model of a tensor of a checkpoint; undefined for those of the optimizer. */
export function modelName(name: string): string | undefined {
  return name.startsWith(modelPrefix) ? name.slice(modelPrefix.length) : undefined;
}

/**
 * Opens the checkpoint of a run; the caller closes the file.
 * @throws ConfigError if the folder has none, TensorFileError if it is damaged.
 */
export function openCheckpoint(folder: string): { readonly file: TensorFile; readonly progress: Progress } {
  const path = join(folder, fileName);
  if (!existsSync(path)) {
    throw new ConfigError(
      `${folder} has no ${fileName}: expected the folder of a training run, e.g. runs/phantom-mini.`,
    );
  }
  const file = openTensorFile(path);
  return { file, progress: progressSchema.parse(JSON.parse(file.metadata.progress ?? '{}')) };
}

/**
 * Restores what `saveCheckpoint` wrote; without an optimizer only the model.
 * @throws ConfigError if the folder has no checkpoint, or it belongs to another model.
 */
export function loadCheckpoint(folder: string, arena: ParameterArena, optimizer?: Optimizer): Progress {
  const { file: opened, progress } = openCheckpoint(folder);
  using file = opened;
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
    const state = new Map<string, { shape: readonly number[]; data: Float32Array }>();
    for (const name of file.names()) {
      if (name.startsWith(optimizerPrefix)) state.set(name.slice(optimizerPrefix.length), file.tensor(name));
    }
    optimizer.load({ step: progress.step, tensors: state });
  }
  return progress;
}
