import type { Dataset, GroundedPhrase, Split } from '../data/types.ts';
import { UsageError } from './common.ts';

/** Values of `--split`. */
export const splitChoices = ['test', 'validation', 'train', 'all'] as const;
export type SplitChoice = (typeof splitChoices)[number];

/** Most training phrases that the mean-mask priors are fitted on, and most images that a threshold is chosen on. */
const priorPhrases = 1500;
const validationImages = 100;

/** Which phrases an evaluation uses for what; the sets share no study. */
export interface EvaluationPhrases {
  readonly evaluated: readonly GroundedPhrase[];
  /** For the best threshold. */
  readonly validation: readonly GroundedPhrase[];
  /** For the priors that know training masks. */
  readonly training: readonly GroundedPhrase[];
  /** Classes that the training split names; empty where the data are not those of the run. */
  readonly trainedCategories: readonly string[];
  /** Images whose classes are known, with those that have no finding; `validation` has none of them. */
  readonly labelled: readonly string[];
  readonly labelledValidation: readonly string[];
  /** Studies of the split that have a report. */
  readonly reported: readonly string[];
}

/**
 * Divides the phrases of a dataset. A study without a report belongs to no split of its own: unless its phrases name one,
 * they count as test phrases, as training cannot have seen it.
 *
 * @param images Most images that are evaluated, 0 = all.
 * @param foreign Whether the run was trained on other data.
 * @throws UsageError when the split has no phrase; it lists those that have some.
 */
export function divideForEvaluation(
  dataset: Dataset,
  split: SplitChoice,
  images: number,
  foreign: boolean,
): EvaluationPhrases {
  const bySplit = phrasesBySplit(dataset);
  const wanted = split === 'all' ? dataset.phrases : bySplit[split];
  if (wanted.length === 0) throw new UsageError(nothingToEvaluate(dataset, split, bySplit));
  const evaluated = limitImages(wanted, images);
  const taken = new Set(evaluated.map(({ studyId }) => studyId));
  const others = (phrases: readonly GroundedPhrase[]) => phrases.filter(({ studyId }) => !taken.has(studyId));
  const reported = studyIds(dataset, split).slice(0, images || undefined);
  const complete = dataset.phrasesAreComplete ?? false;
  const labelled = complete ? reported : [...taken];
  const validation = complete
    ? studyIds(dataset, 'validation')
    : [...new Set(bySplit.validation.map(({ studyId }) => studyId))];
  const tested = new Set([...labelled, ...reported]);
  return {
    labelled,
    labelledValidation: validation.filter((id) => !tested.has(id)).slice(0, validationImages),
    reported,
    evaluated,
    validation: limitImages(others(bySplit.validation), validationImages),
    training: others(bySplit.train).slice(0, priorPhrases),
    trainedCategories: foreign ? [] : [...new Set(bySplit.train.map(({ category }) => category))],
  };
}

function studyIds({ studies }: Dataset, split: SplitChoice): string[] {
  return studies.filter((study) => split === 'all' || study.split === split).map(({ id }) => id);
}

/** Whether a split has anything to evaluate. */
export function hasPhrases(dataset: Dataset, split: Split): boolean {
  return phrasesBySplit(dataset)[split].length > 0;
}

function phrasesBySplit(dataset: Dataset): Record<Split, GroundedPhrase[]> {
  const splitOf = new Map(dataset.studies.map((study): [string, Split] => [study.id, study.split]));
  const bySplit: Record<Split, GroundedPhrase[]> = { train: [], validation: [], test: [] };
  for (const phrase of dataset.phrases) bySplit[phrase.split ?? splitOf.get(phrase.studyId) ?? 'test'].push(phrase);
  return bySplit;
}

/** The phrases of the first `images` studies; 0 = all. */
function limitImages(phrases: readonly GroundedPhrase[], images: number): GroundedPhrase[] {
  const kept = new Set([...new Set(phrases.map(({ studyId }) => studyId))].slice(0, images || undefined));
  return phrases.filter(({ studyId }) => kept.has(studyId));
}

function nothingToEvaluate(dataset: Dataset, split: SplitChoice, bySplit: Record<Split, GroundedPhrase[]>): string {
  if (dataset.phrases.length === 0) {
    return `${dataset.name} has no phrases with regions, so there is nothing to compare with: add a phrases.csv beside its manifest.csv.`;
  }
  const some = Object.entries(bySplit)
    .filter(([, phrases]) => phrases.length > 0)
    .map(([name, { length }]) => `${name} (${length})`);
  return `${dataset.name} has no phrase in its ${split} split; it has some in ${some.join(', ')}. Choose one with --split.`;
}
