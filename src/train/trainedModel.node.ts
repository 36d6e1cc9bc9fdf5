import type { Gpu } from '../gpu/gpu.ts';
import { GroundingModel } from '../models/grounding.ts';
import { ParameterArena } from '../nn/arena.ts';
import { loadCheckpoint } from './checkpoint.node.ts';
import type { RunConfig } from './config.ts';
import type { RunDescription } from './runFolder.node.ts';
import { loadStartWeights } from './weights.node.ts';

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
