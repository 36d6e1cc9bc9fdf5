import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../io/atomic.node.ts';
import { openTensorFile } from '../io/openTensors.node.ts';
import { safetensorsChunks } from '../io/safetensors.ts';
import type { TensorFile } from '../io/tensorFile.ts';
import type { ParameterArena } from '../nn/arena.ts';
import type { Optimizer } from '../nn/optimizer.ts';
import { checkpointContents, type Progress, restoreCheckpoint } from './checkpoint.ts';
import { ConfigError } from './errors.ts';

const fileName = 'checkpoint.safetensors';

/** Writes parameters, running statistics, optimizer state and progress as one file, atomically. */
export async function saveCheckpoint(
  folder: string,
  arena: ParameterArena,
  optimizer: Optimizer,
  progress: Progress,
): Promise<void> {
  const { tensors, metadata } = await checkpointContents(arena, optimizer, progress);
  await writeFileAtomic(join(folder, fileName), safetensorsChunks(tensors, metadata));
}

export function checkpointPath(folder: string): string {
  return join(folder, fileName);
}

export function hasCheckpoint(folder: string): boolean {
  return existsSync(checkpointPath(folder));
}

/**
 * Opens the checkpoint of a run; the caller closes the file.
 * @throws ConfigError if the folder has none, TensorFileError if it is damaged.
 */
export function openCheckpoint(folder: string): TensorFile {
  const path = checkpointPath(folder);
  if (existsSync(path)) return openTensorFile(path);
  throw new ConfigError(`${folder} has no ${fileName}: expected the folder of a training run, e.g. runs/phantom-mini.`);
}

/**
 * Restores what `saveCheckpoint` wrote; without an optimizer only the model.
 * @throws ConfigError if the folder has no checkpoint, or it belongs to another model.
 */
export function loadCheckpoint(folder: string, arena: ParameterArena, optimizer?: Optimizer): Progress {
  using file = openCheckpoint(folder);
  return restoreCheckpoint(file, arena, optimizer);
}
