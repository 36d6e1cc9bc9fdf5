import { join } from 'node:path';
import type { Dataset } from '../data/types.ts';
import { paperTables } from '../eval/paperTables.ts';
import { renderTablesJson, renderTablesLatex, renderTablesMarkdown } from '../eval/renderPaperTables.ts';
import type { GroundingResult } from '../eval/result.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { writeFileAtomic } from '../io/atomic.node.ts';
import type { GroundingModel } from '../models/grounding.ts';
import type { RunDescription } from '../train/runFolder.node.ts';
import { shownPath } from './common.ts';
import { measureRun } from './evaluateRun.ts';
import { divideForEvaluation, type SplitChoice } from './evaluationPhrases.ts';
import type { TableFormat } from './tableFormats.ts';

export interface TablesOptions {
  readonly images: number;
  readonly split: SplitChoice;
  readonly foreign: boolean;
  /** What is printed; all three are written. */
  readonly format: TableFormat;
  /** Default: `<run>/evaluation`. */
  readonly out?: string | undefined;
  readonly signal?: AbortSignal;
  readonly print: (text: string) => void;
}

/**
 * Measures a model on data sets one after the other and writes the paper's tables as `tables.md`, `.json` and `.tex`.
 *
 * @returns False when the signal stopped it; nothing is written then.
 */
export async function evaluateTables(
  gpu: Gpu,
  run: RunDescription,
  datasets: readonly Dataset[],
  model: GroundingModel,
  { images, split, foreign, format, out, signal, print }: TablesOptions,
): Promise<boolean> {
  const results: GroundingResult[] = [];
  try {
    for (const dataset of datasets) {
      const phrases = divideForEvaluation(dataset, split, images, foreign);
      print(`${dataset.name}: ${phrases.evaluated.length} phrases\n`);
      const options = { images, foreign, untrained: false, matching: false, ...(signal ? { signal } : {}) };
      results.push((await measureRun(gpu, run, dataset, model, phrases, options)).result);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
    print(
      `Evaluation stopped, no table was written. Repeat it with: npm run evaluate -- --tables --run ${run.folder}\n`,
    );
    return false;
  }
  const tables = paperTables(run.config.preset, results);
  const rendered = {
    markdown: renderTablesMarkdown(tables),
    json: renderTablesJson(tables),
    latex: renderTablesLatex(tables),
  };
  const stem = join(out ?? join(run.folder, 'evaluation'), 'tables');
  for (const [kind, ending] of [
    ['markdown', 'md'],
    ['json', 'json'],
    ['latex', 'tex'],
  ] as const) {
    await writeFileAtomic(`${stem}.${ending}`, rendered[kind]);
  }
  const shown = format === 'all' ? (['markdown', 'json', 'latex'] as const) : [format];
  for (const kind of shown) process.stdout.write(rendered[kind]);
  print(`Tables: ${shownPath(stem)}.md, .json and .tex\n`);
  return true;
}
