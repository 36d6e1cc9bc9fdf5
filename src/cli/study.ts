import { type Command, InvalidArgumentError } from 'commander';
import { command } from './common.ts';
import { wholeNumber, withAdapterFlags } from './flags.ts';
import type { StudyFlags } from './study/settings.ts';

/** A flag with a list of distinct values, parted by commas. */
function listOf<Value>(parse: (text: string) => Value): (text: string) => Value[] {
  return (text) => {
    const values = text.split(',').map((part) => parse(part.trim()));
    if (new Set(values).size < values.length) throw new InvalidArgumentError('A value stands in it twice.');
    return values;
  };
}

export function registerStudy(program: Command): void {
  const study = program
    .command('study')
    .description('train several objectives from several seeds and compare their maps; goes on where it was stopped')
    .option('--preset <name>', 'phantom-mini (default), phantom or paper')
    .option('--config <file>', 'JSON with any fields of config.json, over the preset')
    .option('--data <folder>', 'images, reports and phrases of your own: a folder with a manifest.csv')
    .option('--seeds <list>', 'seeds of the runs (default: 0,1,2)', listOf(wholeNumber(0)))
    .option(
      '--objectives <list>',
      'what is compared (default: sentence-local,word-local,global), also with other temperatures: word-local:tau2=0.25',
      listOf((text) => text),
    )
    .option('--steps <n>', 'optimizer steps of every run', wholeNumber(1))
    .option('--images <n>', 'most test images; 0 = all (default: as the preset has it)', wholeNumber(0))
    .option('--out <folder>', 'folder of the study (default: studies/<preset>)');
  withAdapterFlags(study).action(
    command(async (flags: StudyFlags) => {
      const { study: run } = await import('./studyCommand.ts');
      await run(flags);
    }),
  );
}
