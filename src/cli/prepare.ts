import { type Command, Option } from 'commander';
import { dataFlagHelp } from '../data/spec.node.ts';
import { command } from './common.ts';
import { wholeNumber } from './flags.ts';
import type { PrepareFlags } from './prepareCommand.ts';

export function registerPrepare(program: Command): void {
  program
    .command('prepare')
    .description('decode and scale all images once, into a few large files that training reads fast')
    .option('--data <data>', `data to prepare: ${dataFlagHelp}`)
    .option('--out <folder>', 'where to write; use it afterwards as --data <folder>')
    .option('--size <pixels>', 'longest side of the stored images; at least what the model needs', wholeNumber(1), 256)
    .addOption(
      new Option('--depth <bits>', 'bits of a stored pixel; 16 keeps more of 16-bit images')
        .choices(['8', '16'])
        .default('8'),
    )
    .option('--shard-mb <MiB>', 'largest size of a file with images', wholeNumber(1), 256)
    .option('--workers <n>', 'threads (default: one per core)', wholeNumber(0))
    .option('--strict', 'end at the first image that cannot be used, instead of leaving it out')
    .option('--overwrite', 'begin anew in a folder that was prepared before')
    .option('--verify <folder>', 'check a prepared folder: every checksum, image, mask and count')
    .action(
      command(async (flags: PrepareFlags) => {
        const { prepareCommand } = await import('./prepareCommand.ts');
        await prepareCommand(flags);
      }),
    );
}
