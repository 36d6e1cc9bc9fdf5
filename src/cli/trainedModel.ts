import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Gpu } from '../gpu/gpu.ts';
import { GroundingModel } from '../models/grounding.ts';
import { ParameterArena } from '../nn/arena.ts';
import { hasCheckpoint, loadCheckpoint } from '../train/checkpoint.node.ts';
import type { RunConfig } from '../train/config.ts';
import { latestRun, openRunFolder, type RunDescription } from '../train/runFolder.node.ts';
import { loadStartWeights } from '../train/weights.node.ts';
import { UsageError } from './common.ts';

const runsRoot = 'runs';

/**
 * The run in `folder`, or the latest below `runs/`, checked to have a checkpoint.
 * @throws UsageError or ConfigError that says what is missing.
 */
export function findTrainedRun(folder?: string): RunDescription {
  if (folder !== undefined && !existsSync(folder)) {
    throw new UsageError(`--run ${folder}: there is no such folder. Start a run with \`npm run train\`.`);
  }
  const run = openRunFolder(resolve(folder ?? latestRun(runsRoot)));
  if (!hasCheckpoint(run.folder)) {
    throw new UsageError(
      `The run in ${run.folder} has no checkpoint.safetensors yet: training writes the first after ` +
        `${run.config.checkpointEvery} steps. Let it train on (npm run train -- --resume ${run.folder}), or name another --run.`,
    );
  }
  return run;
}

/** A model on the GPU; `arena` owns its parameters and is disposed by the caller. */
export interface LoadedModel {
  readonly model: GroundingModel;
  readonly arena: ParameterArena;
}

/** The model of a run with the parameters of its checkpoint, which were reached after `step` steps. */
export function loadTrainedModel(gpu: Gpu, run: RunDescription): LoadedModel & { readonly step: number } {
  const model = new GroundingModel(run.config.model);
  const arena = new ParameterArena(gpu, model, { initialize: false });
  try {
    const { step } = loadCheckpoint(run.folder, arena);
    model.setTraining(false);
    return { model, arena, step };
  } catch (error) {
    arena.dispose();
    throw error;
  }
}

/** The model as the run's first step found it: seeded parameters, and published weights where the run began with some. */
export async function makeUntrainedModel(gpu: Gpu, config: RunConfig): Promise<LoadedModel> {
  const model = new GroundingModel(config.model);
  const arena = new ParameterArena(gpu, model, { seed: config.seed });
  try {
    await loadStartWeights(config, arena);
    model.setTraining(false);
    return { model, arena };
  } catch (error) {
    arena.dispose();
    throw error;
  }
}
