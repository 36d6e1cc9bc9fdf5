import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../../data/types.ts';
import type { StudyRun } from '../../eval/study/measurement.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { Tuning } from '../../kernels/tuning/open.ts';
import { trainRun } from '../../train/run.node.ts';
import { type RunDescription, writeRunFolder } from '../../train/runFolder.node.ts';
import { evaluateRun } from '../evaluateRun.ts';
import { preparePlans, recordPlans } from '../runTuning.ts';
import { loadTrainedModel, makeUntrainedModel } from '../trainedModel.ts';
import type { StudyDisplay } from './display.ts';
import type { PlannedRun } from './plan.ts';
import { openStudyRun, readCurve, readResult } from './storedRun.ts';

/** What all runs of a study share. */
export interface StudyContext {
  readonly gpu: Gpu;
  readonly tuning: Tuning;
  readonly dataset: Dataset;
  readonly display: StudyDisplay;
  readonly signal: AbortSignal;
}

/**
 * Trains a run from where it stands, evaluates it, and reads what it measured; what is done already is not repeated.
 * @returns undefined when the signal stopped it.
 */
export async function measureRun(context: StudyContext, planned: PlannedRun): Promise<StudyRun | undefined> {
  const { gpu, dataset, signal, display } = context;
  const { condition, seed, folder, config } = planned;
  const run = openStudyRun(folder, config, dataset);
  if (!readResult(folder)) {
    display.begin(planned);
    if (!planned.trained) await writeRunFolder(run);
    else if (!isTrained(run) && !(await trainOn(context, run))) return undefined;
    display.evaluate();
    const { model, arena } = planned.trained ? loadTrainedModel(gpu, run) : await makeUntrainedModel(gpu, run.config);
    try {
      const left = { untrained: false, matching: false };
      const options = { images: config.evaluateImages, ...left, signal, print: () => undefined };
      if (!(await evaluateRun(gpu, run, dataset, model, options))) return undefined;
    } finally {
      arena.dispose();
    }
    display.end();
  }
  // What is in the file, so that a study that goes on has the figures of one that was never stopped.
  const result = readResult(folder);
  return result && { condition, seed, result, curve: readCurve(folder) };
}

/** Whether training has come to its end: then there are weights beside the checkpoint. */
function isTrained({ folder }: RunDescription): boolean {
  return existsSync(join(folder, 'model.safetensors'));
}

/** @returns false when the signal stopped it */
async function trainOn({ gpu, tuning, dataset, display, signal }: StudyContext, run: RunDescription): Promise<boolean> {
  await preparePlans(gpu, run, tuning, signal);
  let plansRecorded = Promise.resolve();
  const result = await trainRun(
    gpu,
    run,
    dataset,
    {
      onStart: ({ totalSteps, firstStep }) => {
        plansRecorded = recordPlans(run.folder, tuning);
        // Told below, where it is awaited.
        plansRecorded.catch(() => undefined);
        display.start(totalSteps, firstStep);
      },
      onRecord: (record) => display.update(record),
    },
    signal,
  );
  result.trainer.dispose();
  await plansRecorded;
  return result.completed;
}
