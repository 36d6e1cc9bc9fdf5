import type { PhraseScore } from '../aggregate.ts';
import type { GroundingResult, PresetResult } from '../result.ts';

/** Name of the condition that was not trained. */
export const untrainedCondition = 'untrained';

/** One run of a study: what was trained, from which seed, and what it measured. */
export interface StudyRun {
  readonly condition: string;
  readonly seed: number;
  readonly result: GroundingResult;
  /** Validation during training; empty for the untrained network. */
  readonly curve: readonly CurvePoint[];
}

/** A condition with its finished runs. */
export interface ConditionRuns {
  readonly name: string;
  readonly runs: readonly StudyRun[];
}

export interface CurvePoint {
  readonly step: number;
  /**
   * Cross entropy of the global vectors, image to report, over validation batches: the one part that every objective
   * has, so the only one that can be compared. Chance is the logarithm of the batch size.
   */
  readonly globalLoss: number;
}

/** The scores of a run's model, phrase by phrase. */
export function modelRows(preset: PresetResult | undefined): readonly PhraseScore[] {
  return preset?.methods.find(({ kind }) => kind === 'model')?.rows ?? [];
}

/** The two parts of the rows: classes that training showed and those it did not. */
export function bySeen(run: StudyRun, rows: readonly PhraseScore[]): Record<'seen' | 'unseen', PhraseScore[]> {
  const { unseenClasses } = run.result.counts;
  return {
    seen: rows.filter(({ category }) => !unseenClasses.includes(category)),
    unseen: rows.filter(({ category }) => unseenClasses.includes(category)),
  };
}

/** Undefined, or the first run that was not measured on the same phrases under the same protocol as the others. */
export function strangerAmong(runs: readonly StudyRun[]): StudyRun | undefined {
  const measured = ({ result }: StudyRun) =>
    JSON.stringify([
      result.protocol,
      result.counts.unseenClasses,
      result.presets.map((preset) => [preset.preset, modelRows(preset).map((row) => [row.studyId, row.phrase])]),
    ]);
  const [first] = runs;
  const expected = first && measured(first);
  return runs.find((run) => measured(run) !== expected);
}
