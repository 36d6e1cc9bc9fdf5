import type { Command } from 'commander';
import { Option } from 'commander';
import { command } from './common.ts';
import type { EvaluateFlags } from './evaluateCommand.ts';
import { splitChoices } from './evaluationPhrases.ts';
import { wholeNumber, withAdapterFlags } from './flags.ts';
import { systemOf, withSystemFlags } from './systemFlags.ts';
import { tableFormats } from './tableFormats.ts';

export function registerEvaluate(program: Command): void {
  const evaluate = program
    .command('evaluate')
    .description('measure how well a trained model localizes phrases, beside baselines that never see the image')
    .option('--run <folder>', 'folder of a training run (default: the latest below runs/)')
    .option('--images <n>', 'most images; 0 = all (default: as after training; all with --tables)', wholeNumber(0))
    .addOption(new Option('--split <name>', 'studies to evaluate').choices(splitChoices).default('test'))
    .option(
      '--data <data>',
      'other images and phrases: a folder with phrases.csv, an index.jsonl, or <corpus>:<folder>; with --tables several times',
      (value: string, before: readonly string[] = []) => [...before, value],
    )
    .option('--tables', "print the paper's Tables 1 to 3, with a row of ours for every corpus among the data")
    .addOption(
      new Option('--format <name>', 'what --tables prints; all are written (default: markdown)').choices(tableFormats),
    )
    .option('--out <folder>', 'where --tables writes tables.md, .json and .tex (default: <run>/evaluation)')
    .option('--no-untrained', 'leave out the same network before training')
    .option('--no-matching', 'leave out classification, retrieval and the decision between present and absent')
    .option('--json', 'print the result as JSON and nothing else');
  withSystemFlags(evaluate).option(
    '--report <folder>',
    'with --system: where the report goes (default: evaluation-<name>)',
  );
  withAdapterFlags(evaluate).action(
    command(async (flags: EvaluateFlags) => {
      const system = systemOf(flags);
      if (system !== undefined) {
        const { evaluateSystem } = await import('./evaluateSystem.ts');
        return evaluateSystem(system, flags);
      }
      const { evaluate: run } = await import('./evaluateCommand.ts');
      await run(flags);
    }),
  );
}
