import { untrainedCondition } from '../../eval/study/measurement.ts';
import { type ObjectiveConfig, objectives } from '../../models/objective.ts';
import { mergeConfig, parseRunConfig, type RunConfig } from '../../train/config.ts';
import { UsageError } from '../common.ts';

const temperatures = ['tau1', 'tau2', 'tau3'] as const;

/** One objective of a study, e.g. `word-local` or `word-local:tau2=0.25`. */
export interface Condition {
  /** As it was given. */
  readonly name: string;
  readonly objective: Partial<ObjectiveConfig>;
}

/** Reads `<objective>[:<temperature>=<value>...]`. @throws UsageError that says what is expected. */
export function parseCondition(name: string): Condition {
  const [wanted, ...changes] = name.split(':');
  const objective = objectives.find((known) => known === wanted);
  if (!objective) {
    throw new UsageError(`--objectives: "${wanted}" is no objective; expected some of ${objectives.join(', ')}.`);
  }
  const fields = changes.map((change): [string, number] => {
    const [field = '', text = ''] = change.split('=');
    const value = Number(text);
    if (!temperatures.some((known) => known === field) || text.trim() === '' || !(value > 0)) {
      throw new UsageError(
        `--objectives: "${change}" in "${name}" is no temperature; expected e.g. ${wanted}:tau2=0.25, of ${temperatures.join(', ')}.`,
      );
    }
    return [field, value];
  });
  return { name, objective: { objective, ...Object.fromEntries(fields) } };
}

/** The configuration of a run: that of the study with the condition's objective and a seed. */
export function runConfigFor(config: RunConfig, condition: Condition | undefined, seed: number): RunConfig {
  const changes = { seed, ...(condition ? { objective: condition.objective } : {}) };
  return parseRunConfig(mergeConfig(config, changes), condition?.name ?? untrainedCondition);
}

/** Folder of a run below that of its study. */
export function runFolderOf(condition: string, seed: number): string {
  return `${condition.replaceAll(':', '-').replaceAll('=', '-')}/seed-${seed}`;
}
