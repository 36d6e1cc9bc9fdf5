import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Presets, SingleBar } from 'cli-progress';
import type { Dataset, GroundedPhrase } from '../data/types.ts';
import { fitMaskPriors, fixedPriors } from '../eval/baselines.ts';
import { evaluateGrounding } from '../eval/evaluate.ts';
import { ModelLocalizer } from '../eval/modelLocalizer.ts';
import { renderJson, renderMarkdown } from '../eval/report.ts';
import { renderHtml } from '../eval/report-html.node.ts';
import type { GroundingResult } from '../eval/result.ts';
import { phrasesOfSplit } from '../eval/walk.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { writeFileAtomic } from '../io/atomic.node.ts';
import type { GroundingModel } from '../models/grounding.ts';
import type { RunDescription } from '../train/runFolder.node.ts';

export interface EvaluateOptions {
  /** Most test images; 0 = all. */
  readonly images: number;
  readonly signal?: AbortSignal;
}

/** The phrases of the first `images` studies. */
function limitImages(phrases: readonly GroundedPhrase[], images: number): GroundedPhrase[] {
  const kept = new Set([...new Set(phrases.map(({ studyId }) => studyId))].slice(0, images || undefined));
  return phrases.filter(({ studyId }) => kept.has(studyId));
}

export async function evaluateRun(
  gpu: Gpu,
  run: RunDescription,
  dataset: Dataset,
  model: GroundingModel,
  { images, signal }: EvaluateOptions,
): Promise<GroundingResult> {
  const { config, tokenizer, folder } = run;
  const localizer = new ModelLocalizer(gpu, model, tokenizer, config);
  const test = phrasesOfSplit(dataset, 'test');
  const phrases = limitImages(test.length > 0 ? test : dataset.phrases, images);
  const training = phrasesOfSplit(dataset, 'train');
  const priors = [...fixedPriors(), ...(training.length > 0 ? await fitMaskPriors(training.slice(0, 1500)) : [])];
  const bar = new SingleBar(
    { format: 'Evaluating {bar} {value}/{total} images', hideCursor: true },
    Presets.shades_classic,
  );
  let stage = '';
  const result = await evaluateGrounding({
    localizer,
    dataset,
    phrases,
    validationPhrases: limitImages(phrasesOfSplit(dataset, 'validation'), 100),
    priors,
    sigma: config.sigma,
    modelName: config.preset,
    ...(signal ? { signal } : {}),
    onProgress: (progress) => {
      if (!process.stdout.isTTY) return;
      if (progress.stage !== stage) bar.start(progress.total, 0);
      stage = progress.stage;
      bar.update(progress.done);
    },
  });
  bar.stop();
  const out = join(folder, 'evaluation');
  mkdirSync(out, { recursive: true });
  await writeFileAtomic(join(out, 'report.md'), renderMarkdown(result));
  await writeFileAtomic(join(out, 'report.json'), renderJson(result));
  await writeFileAtomic(join(out, 'report.html'), renderHtml(result));
  process.stdout.write(`${renderMarkdown(result).split('\n').slice(0, 40).join('\n')}\nReport: ${out}/report.html\n`);
  return result;
}
