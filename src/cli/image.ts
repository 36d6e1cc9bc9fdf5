import type { Command } from 'commander';
import { command } from './common.ts';
import type { ImageFlags } from './imageCommand.ts';

export function registerImage(program: Command): void {
  program
    .command('image')
    .description('say what an image file is and show it as a model sees it. Research use only, not for diagnosis')
    .argument('<file>', 'PNG, JPEG or DICOM, told apart by content')
    .option('--out <file>', 'PNG to write, with 8 bits of grey')
    .option(
      '--window <window>',
      'of a DICOM file: centre,width, or the number of one of its windows from 1 on, or full (default: its first VOI LUT or window, else full)',
    )
    .option('--json', 'print the result as JSON and nothing else')
    .action(
      command(async (file: string, flags: ImageFlags) => {
        const { image } = await import('./imageCommand.ts');
        await image(file, flags);
      }),
    );
}
