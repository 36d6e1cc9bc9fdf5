import { openDataset } from '../data/open.node.ts';
import { renderJson } from '../eval/report.ts';
import { openGpu } from './adapter.ts';
import type { EvaluateFlags } from './evaluate.ts';
import { evaluateRun } from './evaluateRun.ts';
import { divideForEvaluation } from './evaluationPhrases.ts';
import { adapterOf } from './flags.ts';
import { interruptSignal } from './interrupt.ts';
import { findTrainedRun, loadTrainedModel } from './trainedModel.ts';

/** `groundray evaluate` */
export async function evaluate(flags: EvaluateFlags): Promise<void> {
  // With --json, what is not the result goes to stderr.
  const print = (text: string): void => void (flags.json ? process.stderr : process.stdout).write(text);
  const run = findTrainedRun(flags.run);
  const dataset = await openDataset(flags.data === undefined ? run.config.data : { kind: 'folder', path: flags.data });
  const options = {
    images: flags.images ?? run.config.evaluateImages,
    split: flags.split,
    foreign: flags.data !== undefined,
    untrained: flags.untrained,
    matching: flags.matching,
  };
  // Before the device is made, as a wrong split is found here.
  divideForEvaluation(dataset, options.split, options.images, options.foreign);
  const gpu = await openGpu(adapterOf(flags), false, print);
  const { signal, dispose } = interruptSignal('Stopping the evaluation.');
  try {
    const { model, arena, step } = loadTrainedModel(gpu, run);
    print(`Run: ${run.folder}, after ${step} steps\n`);
    const quiet = flags.json ? { print: () => undefined } : {};
    const result = await evaluateRun(gpu, run, dataset, model, { ...options, ...quiet, step, signal });
    arena.dispose();
    if (!result) process.exitCode = 130;
    else if (flags.json) process.stdout.write(renderJson(result, 'none'));
  } finally {
    dispose();
    gpu.dispose();
  }
}
