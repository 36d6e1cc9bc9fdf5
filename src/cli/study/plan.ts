import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { untrainedCondition } from '../../eval/study/measurement.ts';
import type { RunConfig } from '../../train/config.ts';
import { parseCondition, runConfigFor, runFolderOf } from './conditions.ts';
import type { StudySettings } from './settings.ts';
import { resultPath } from './storedRun.ts';

/** One run of a study: where it lies and what it is. */
export interface PlannedRun {
  readonly condition: string;
  readonly seed: number;
  readonly folder: string;
  readonly config: RunConfig;
  /** False for the network before its first step. */
  readonly trained: boolean;
}

/** All runs of a study, seed by seed, so that a study that is stopped has whole seeds to compare. */
export function planRuns(folder: string, { config, conditions, seeds }: StudySettings): PlannedRun[] {
  const parsed = [undefined, ...conditions.map(parseCondition)];
  return seeds.flatMap((seed) =>
    parsed.map((condition): PlannedRun => {
      const name = condition?.name ?? untrainedCondition;
      return {
        condition: name,
        seed,
        folder: join(folder, runFolderOf(name, seed)),
        config: runConfigFor(config, condition, seed),
        trained: condition !== undefined,
      };
    }),
  );
}

/** How much of the plan is still to do. */
export interface StudyWork {
  readonly trainings: number;
  readonly evaluations: number;
}

export function workLeft(planned: readonly PlannedRun[]): StudyWork {
  const open = planned.filter(({ folder }) => !existsSync(resultPath(folder)));
  const untrained = open.filter(({ folder, trained }) => trained && !existsSync(join(folder, 'model.safetensors')));
  return { evaluations: open.length, trainings: untrained.length };
}
