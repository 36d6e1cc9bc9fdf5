import { openDataset } from '../data/open.node.ts';
import { parseDataFlag } from '../data/spec.node.ts';
import type { Dataset } from '../data/types.ts';
import { fitMaskPriors, fixedPriors } from '../eval/baselines.ts';
import { evaluateGrounding } from '../eval/evaluate.ts';
import { collectExamples, type GroundingExample } from '../eval/examples.ts';
import type { Localizer } from '../eval/localizer.ts';
import { renderJson } from '../eval/report.ts';
import type { GroundingResult } from '../eval/result.ts';
import { writeReport } from '../eval/write-report.node.ts';
import { openGpu } from './adapter.ts';
import { shownPath, UsageError } from './common.ts';
import type { EvaluateFlags } from './evaluateCommand.ts';
import { divideForEvaluation, type EvaluationPhrases } from './evaluationPhrases.ts';
import { evaluationDisplay } from './evaluationProgress.ts';
import { summaryLines } from './evaluationSummary.ts';
import { adapterOf } from './flags.ts';
import { interruptSignal } from './interrupt.ts';
import type { SystemName } from './systemFlags.ts';
import { prepareSystem } from './systems.ts';

/**
 * `groundray evaluate --system`: a published system on a data set, with the metrics and beside the location priors that
 * a run is measured with.
 */
export async function evaluateSystem(system: SystemName, flags: EvaluateFlags): Promise<void> {
  const print = (text: string): void => void (flags.json ? process.stderr : process.stdout).write(text);
  const [data, ...others] = flags.data ?? [];
  if (flags.run !== undefined) throw new UsageError('--run and --system name two models; give one of them.');
  if (data === undefined || others.length > 0) {
    throw new UsageError(`--system ${system} needs one --data: images and phrases with regions.`);
  }
  const prepared = prepareSystem(system, flags);
  const dataset = await openDataset(parseDataFlag(data));
  const phrases = divideForEvaluation(dataset, flags.split, flags.images ?? 0, true);
  prepared.useCategories([...phrases.evaluated, ...phrases.validation]);
  const gpu = await openGpu(adapterOf(flags), false, print);
  const { signal, dispose } = interruptSignal('Stopping the evaluation.');
  try {
    const { localizer, arena } = await prepared.open(gpu, signal);
    const measured = await measure(localizer, prepared.name, dataset, phrases, signal);
    arena.dispose();
    const folder = flags.report ?? `evaluation-${system}`;
    await report(measured, folder, flags.json ? () => undefined : print);
    if (flags.json) process.stdout.write(renderJson(measured.result, 'none'));
  } catch (error) {
    if (!signal.aborted) throw error;
    print('Evaluation stopped, no report was written.\n');
    process.exitCode = 130;
  } finally {
    dispose();
    gpu.dispose();
  }
}

interface Measured {
  readonly result: GroundingResult;
  readonly examples: readonly GroundingExample[];
}

async function measure(
  localizer: Localizer,
  modelName: string,
  dataset: Dataset,
  { evaluated, validation, training, trainedCategories }: EvaluationPhrases,
  signal: AbortSignal,
): Promise<Measured> {
  const countImages = (list: readonly { readonly studyId: string }[]) => new Set(list.map((p) => p.studyId)).size;
  const display = evaluationDisplay(countImages(evaluated) + countImages(validation));
  try {
    const masks = training.length > 0 ? await fitMaskPriors(training, { signal }) : [];
    const result = await evaluateGrounding({
      localizer,
      dataset,
      phrases: evaluated,
      validationPhrases: validation,
      trainedCategories,
      priors: [...fixedPriors(), ...masks],
      modelName,
      onProgress: ({ stage }) => display.advance(stage),
      signal,
    });
    return { result, examples: await collectExamples({ localizer, dataset, result, phrases: evaluated, signal }) };
  } finally {
    display.stop();
  }
}

async function report({ result, examples }: Measured, folder: string, print: (text: string) => void): Promise<void> {
  const files = await writeReport(folder, result, examples, 'report');
  const page = files.find((file) => file.endsWith('.html')) ?? folder;
  print(`${summaryLines(result).join('\n')}\nReport: ${shownPath(page)} (also .md and .json)\n`);
}
