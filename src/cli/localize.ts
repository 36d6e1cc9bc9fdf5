import type { Command } from 'commander';
import { Option } from 'commander';
import { RESCALE_PRESETS } from '../eval/maps.ts';
import { command } from './common.ts';
import { numberBetween, withAdapterFlags } from './flags.ts';
import type { LocalizeFlags } from './localizeCommand.ts';
import { systemOf, withSystemFlags } from './systemFlags.ts';

export function registerLocalize(program: Command): void {
  const localize = program
    .command('localize')
    .description('show where a trained model finds a phrase in an image. Research use only, not for diagnosis')
    .requiredOption('--image <file>', 'PNG, JPEG or DICOM, told apart by content')
    .requiredOption('--phrase <texts...>', 'what to look for, e.g. "left pleural effusion"; several are allowed')
    .option('--run <folder>', 'folder of a training run (default: the latest below runs/)')
    .option('--out <file>', 'PNG to write (default: <image>-localized.png here; with --json none)')
    .addOption(
      new Option('--preset <name>', 'how similarities become a map').choices(RESCALE_PRESETS).default('paper-minmax'),
    )
    .option(
      '--threshold <t>',
      "level of the region's contour (default: best of the run's evaluation, else 0.3)",
      numberBetween(-1, 1),
    )
    .option('--json', 'print the result as JSON and nothing else');
  withAdapterFlags(withSystemFlags(localize)).action(
    command(async (flags: LocalizeFlags) => {
      const system = systemOf(flags);
      if (system !== undefined) {
        const { localizeSystem } = await import('./localizeSystem.ts');
        return localizeSystem(system, flags);
      }
      const { localize: run } = await import('./localizeCommand.ts');
      await run(flags);
    }),
  );
}
