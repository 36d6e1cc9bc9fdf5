import type { Command } from 'commander';
import { Option } from 'commander';
import { RESCALE_PRESETS } from '../eval/maps.ts';
import { command, UsageError } from './common.ts';
import { numberBetween, withAdapterFlags } from './flags.ts';
import type { LocalizeFlags } from './localizeCommand.ts';
import type { AnyLocalizeFlags } from './localizeFolder.ts';
import { systemOf, withSystemFlags } from './systemFlags.ts';

export function registerLocalize(program: Command): void {
  const localize = program
    .command('localize')
    .description('show where a trained model finds a phrase in an image. Research use only, not for diagnosis')
    .option('--image <file>', 'PNG, JPEG or DICOM, told apart by content')
    .option('--phrase <texts...>', 'what to look for, e.g. "left pleural effusion"; several are allowed')
    .option(
      '--images <folder>',
      'many images in place of one; masks in it are compared (default with --csv: its folder)',
    )
    .option(
      '--csv <file>',
      'columns file, phrase and, for IoU and Dice, x, y, width, height or mask; also the CSV or JSON of RSNA, MS-CXR, COCO',
    )
    .option('--run <folder>', 'folder of a training run (default: the latest below runs/)')
    .option(
      '--out <file>',
      'PNG to write (default: <image>-localized.png here; with --json none); of many images a folder (default: findings)',
    )
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
    command(async (given: AnyLocalizeFlags) => {
      if (given.images !== undefined || given.csv !== undefined) {
        const { localizeFolder } = await import('./localizeFolder.ts');
        return localizeFolder(given);
      }
      const flags = ofOneImage(given);
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

function ofOneImage({ images: _images, csv: _csv, image, phrase = [], ...flags }: AnyLocalizeFlags): LocalizeFlags {
  if (image === undefined)
    throw new UsageError('Expected --image with a file, or --images with a folder; found neither.');
  if (phrase.length === 0) throw new UsageError('Expected --phrase with what to look for, found none.');
  return { ...flags, image, phrase };
}
