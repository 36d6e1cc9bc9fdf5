import { openDataset } from '../data/open.node.ts';
import { parseDataFlag } from '../data/spec.node.ts';
import type { Dataset } from '../data/types.ts';
import { renderJson } from '../eval/report.ts';
import type { RunDescription } from '../train/runFolder.node.ts';
import { openGpu } from './adapter.ts';
import { UsageError } from './common.ts';
import { evaluateRun } from './evaluateRun.ts';
import { evaluateTables } from './evaluateTables.ts';
import { divideForEvaluation, type SplitChoice } from './evaluationPhrases.ts';
import { type AdapterFlags, adapterOf } from './flags.ts';
import { interruptSignal } from './interrupt.ts';
import type { SystemFlags } from './systemFlags.ts';
import type { TableFormat } from './tableFormats.ts';
import { findTrainedRun, loadTrainedModel } from './trainedModel.ts';

/** Flags of `groundray evaluate`, as commander gives them. */
export interface EvaluateFlags extends AdapterFlags, SystemFlags {
  readonly run?: string;
  readonly images?: number;
  readonly split: SplitChoice;
  readonly data?: readonly string[];
  readonly tables?: boolean;
  readonly format?: TableFormat;
  readonly out?: string;
  readonly untrained: boolean;
  readonly matching: boolean;
  readonly json?: boolean;
  readonly report?: string;
}

/** The data sets that were named, else the one that the run was trained on. */
async function openData(flags: EvaluateFlags, run: RunDescription): Promise<readonly [Dataset, ...Dataset[]]> {
  const [first, ...others] = flags.data ?? [];
  if (first === undefined) return [await openDataset(run.config.data)];
  const open = (data: string): Promise<Dataset> => openDataset(parseDataFlag(data));
  const datasets: [Dataset, ...Dataset[]] = [await open(first)];
  for (const data of others) datasets.push(await open(data));
  return datasets;
}

/** What the tables are printed as; undefined without `--tables`. @throws UsageError for flags that don't go together. */
function tableFormatOf({ tables, json, format, out, data = [] }: EvaluateFlags): TableFormat | undefined {
  if (tables) return format ?? (json ? 'json' : 'markdown');
  if (format !== undefined)
    throw new UsageError('--format belongs to --tables; the report is written in all its forms.');
  if (out !== undefined) throw new UsageError('--out belongs to --tables; the report goes into the folder of the run.');
  if (data.length > 1) {
    throw new UsageError(`--data was given ${data.length} times; only --tables takes several data sets.`);
  }
  return undefined;
}

/** `groundray evaluate` */
export async function evaluate(flags: EvaluateFlags): Promise<void> {
  const format = tableFormatOf(flags);
  // Where the result is for a program, what is not the result goes to stderr.
  const forProgram = format === undefined ? flags.json : format !== 'markdown';
  const print = (text: string): void => void (forProgram ? process.stderr : process.stdout).write(text);
  const run = findTrainedRun(flags.run);
  const datasets = await openData(flags, run);
  const options = {
    // A table of the paper is about the whole split.
    images: flags.images ?? (format === undefined ? run.config.evaluateImages : 0),
    split: flags.split,
    foreign: flags.data !== undefined,
    untrained: flags.untrained,
    matching: flags.matching,
  };
  // Before the device is made, as a wrong split is found here.
  for (const dataset of datasets) divideForEvaluation(dataset, options.split, options.images, options.foreign);
  const gpu = await openGpu(adapterOf(flags), false, print);
  const { signal, dispose } = interruptSignal('Stopping the evaluation.');
  try {
    const { model, arena, step } = loadTrainedModel(gpu, run);
    print(`Run: ${run.folder}, after ${step} steps\n`);
    if (format !== undefined) {
      const done = await evaluateTables(gpu, run, datasets, model, {
        ...options,
        format,
        out: flags.out,
        signal,
        print,
      });
      if (!done) process.exitCode = 130;
    } else {
      const quiet = flags.json ? { print: () => undefined } : {};
      const result = await evaluateRun(gpu, run, datasets[0], model, { ...options, ...quiet, step, signal });
      if (!result) process.exitCode = 130;
      else if (flags.json) process.stdout.write(renderJson(result, 'none'));
    }
    arena.dispose();
  } finally {
    dispose();
    gpu.dispose();
  }
}
