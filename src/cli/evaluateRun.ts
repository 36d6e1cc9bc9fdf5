import { join } from 'node:path';
import type { Dataset } from '../data/types.ts';
import { fitMaskPriors, fixedPriors } from '../eval/baselines.ts';
import { withComparison } from '../eval/comparison.ts';
import { evaluateGrounding, type GroundingOptions } from '../eval/evaluate.ts';
import { countMatched, evaluateMatching, type MatchingOptions } from '../eval/evaluateMatching.ts';
import { collectExamples } from '../eval/examples.ts';
import type { Localizer } from '../eval/localizer.ts';
import { ModelLocalizer } from '../eval/modelLocalizer.ts';
import { ModelMatcher } from '../eval/modelMatcher.ts';
import type { GroundingResult } from '../eval/result.ts';
import { writeReport } from '../eval/write-report.node.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { GroundingModel } from '../models/grounding.ts';
import { readCalibration, storeCalibration } from '../train/calibration.node.ts';
import type { RunDescription } from '../train/runFolder.node.ts';
import { shownPath } from './common.ts';
import { divideForEvaluation, type EvaluationPhrases, type SplitChoice } from './evaluationPhrases.ts';
import { type EvaluationDisplay, evaluationDisplay } from './evaluationProgress.ts';
import { summaryLines } from './evaluationSummary.ts';
import { makeUntrainedModel } from './trainedModel.ts';

export interface EvaluateOptions {
  /** Most images; 0 = all. */
  readonly images: number;
  /** Default test. */
  readonly split?: SplitChoice;
  /** The dataset is not the one that the run was trained on. */
  readonly foreign?: boolean;
  /** Measures the same network before training as well. Default true. */
  readonly untrained?: boolean;
  /** Measures classification, retrieval and the decision between present and absent as well. Default true. */
  readonly matching?: boolean;
  /** Steps that the model was trained for. */
  readonly step?: number;
  readonly signal?: AbortSignal;
  /** Where the summary goes. Default: stdout. */
  readonly print?: (text: string) => void;
}

export const untrainedName = 'untrained model';

/**
 * Evaluates a model on a dataset beside the location priors and itself before training, writes the report to
 * `<run>/evaluation/` and prints a summary. The threshold between present and absent goes into the run's checkpoint,
 * unless the data are foreign: then the one that is there is measured.
 *
 * @returns Undefined when the signal stopped it; nothing is written then.
 * @throws UsageError when the split has no phrase.
 */
export async function evaluateRun(
  gpu: Gpu,
  run: RunDescription,
  dataset: Dataset,
  model: GroundingModel,
  options: EvaluateOptions,
): Promise<GroundingResult | undefined> {
  const { images, split = 'test', foreign = false, signal } = options;
  const print = options.print ?? ((text: string) => void process.stdout.write(text));
  const phrases = divideForEvaluation(dataset, split, images, foreign);
  try {
    const { result, localizer } = await measureRun(gpu, run, dataset, model, phrases, options);
    const examples = await collectExamples({
      localizer,
      dataset,
      result,
      phrases: phrases.evaluated,
      ...(signal ? { signal } : {}),
    });
    const folder = join(run.folder, 'evaluation');
    const files = await writeReport(folder, result, examples, 'report');
    const calibration = result.matching?.presence?.calibration;
    if (calibration && !foreign) await storeCalibration(run.folder, calibration);
    const page = files.find((file) => file.endsWith('.html')) ?? folder;
    print(`${summaryLines(result).join('\n')}\nReport: ${shownPath(page)} (also .md and .json)\n`);
    return result;
  } catch (error) {
    if (!signal?.aborted) throw error;
    print(`Evaluation stopped, no report was written. Repeat it with: npm run evaluate -- --run ${run.folder}\n`);
    return undefined;
  }
}

/** Measures a model, and the same network before training where that is wanted, behind one progress bar. */
export async function measureRun(
  gpu: Gpu,
  run: RunDescription,
  dataset: Dataset,
  model: GroundingModel,
  phrases: EvaluationPhrases,
  { untrained = true, matching = true, foreign = false, step, signal }: EvaluateOptions,
): Promise<{ result: GroundingResult; localizer: Localizer }> {
  const { config, tokenizer } = run;
  const { evaluated, validation, training, trainedCategories, labelled, labelledValidation, reported } = phrases;
  const countImages = (list: readonly { readonly studyId: string }[]) => new Set(list.map((p) => p.studyId)).size;
  const perModel = countImages(evaluated) + countImages(validation);
  const matched = { labelled, validation: labelledValidation, reported };
  const display = evaluationDisplay((untrained ? 2 : 1) * perModel + (matching ? countMatched(matched) : 0));
  try {
    const shared = {
      dataset,
      phrases: evaluated,
      validationPhrases: validation,
      trainedCategories,
      sigma: config.sigma,
      ...(signal ? { signal } : {}),
    };
    const localizer = new ModelLocalizer(gpu, model, tokenizer, config);
    const masks = training.length > 0 ? await fitMaskPriors(training, signal ? { signal } : {}) : [];
    let result = await evaluateGrounding({
      ...shared,
      localizer,
      priors: [...fixedPriors(), ...masks],
      modelName: config.preset,
      peers: true,
      attentionTemperature: config.objective.tau2,
      onProgress: progressInto(display, ''),
    });
    if (matching) {
      const options: MatchingOptions = {
        ...{ ...matched, dataset, localizer, step, signal, sigma: config.sigma },
        matcher: new ModelMatcher(gpu, model, tokenizer, config),
        unseenClasses: result.counts.unseenClasses,
        calibration: foreign ? await readCalibration(run.folder) : undefined,
        onProgress: (stage) => display.advance(`${stage}, images and texts`),
      };
      result = { ...result, matching: await evaluateMatching(options) };
    }
    if (!untrained) return { result, localizer };
    const start = await makeUntrainedModel(gpu, config);
    try {
      const before = await evaluateGrounding({
        ...shared,
        localizer: new ModelLocalizer(gpu, start.model, tokenizer, config),
        modelName: untrainedName,
        onProgress: progressInto(display, `, ${untrainedName}`),
      });
      const description = 'the same network with the parameters that training started from';
      return { result: withComparison(result, before, description), localizer };
    } finally {
      start.arena.dispose();
    }
  } finally {
    display.stop();
  }
}

function progressInto(display: EvaluationDisplay, suffix: string): NonNullable<GroundingOptions['onProgress']> {
  return ({ stage }) => display.advance(`${stage}${suffix}`);
}
