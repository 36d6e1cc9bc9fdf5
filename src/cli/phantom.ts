import { type Command, InvalidArgumentError, Option } from 'commander';
import { command, UsageError } from './common.ts';

interface Options {
  readonly out: string;
  readonly count: number;
  readonly size: number;
  readonly seed: number;
  readonly overwrite?: boolean;
  readonly layout: (typeof layouts)[number];
}

/** `folder` has the tables of RSNA and MS-CXR beside it, `mimic-cxr-jpg` those of MS-CXR. */
const layouts = ['folder', 'mimic-cxr-jpg'] as const;

export function registerPhantom(program: Command): void {
  program
    .command('phantom')
    .description('write generated chest radiographs with reports, phrases and masks to a folder')
    .requiredOption('--out <folder>', 'where to write; read it again with --data <folder>')
    .option('--count <n>', 'number of studies', wholeNumber(3), 1000)
    .option('--size <pixels>', 'width and height of the images', wholeNumber(32), 128)
    .option('--seed <n>', 'the same seed gives the same corpus', wholeNumber(0), 0)
    .addOption(
      new Option(
        '--layout <name>',
        'folder: a manifest.csv, also read as rsna:<folder> and ms-cxr:<folder>; mimic-cxr-jpg: also read as ms-cxr:<folder>',
      )
        .choices(layouts)
        .default('folder'),
    )
    .option('--overwrite', 'write into a folder that holds a data set already')
    .action(command(writePhantoms));
}

async function writePhantoms({ out, count, size, seed, overwrite, layout }: Options): Promise<void> {
  const { existsSync } = await import('node:fs');
  const { join } = await import('node:path');
  const { SingleBar } = await import('cli-progress');
  const { phantomDataset } = await import('../data/phantom/dataset.ts');
  const { phantomVocabulary } = await import('../data/phantom/vocabulary.ts');
  const { writeDataset } = await import('../data/phantom/write.node.ts');
  const { writeMimicLayout } = await import('../data/phantom/writeMimic.node.ts');
  const marks = ['manifest.csv', 'mimic-cxr-2.0.0-metadata.csv.gz'];
  if (marks.some((mark) => existsSync(join(out, mark))) && !overwrite) {
    throw new UsageError(`${out} holds a data set already. Choose another folder, or replace it with --overwrite.`);
  }
  const dataset = phantomDataset({ seed, count, size });
  const bar = new SingleBar({ format: 'phantoms {bar} {value}/{total} | {eta_formatted} left', clearOnComplete: true });
  bar.start(count, 0);
  try {
    const onStudy = (done: number): void => bar.update(done);
    if (layout === 'folder') await writeDataset(dataset, { folder: out, vocabulary: phantomVocabulary(), onStudy });
    else await writeMimicLayout(dataset, { folder: out, onStudy });
  } finally {
    bar.stop();
  }
  process.stdout.write(
    `Wrote ${dataset.studies.length} studies and ${dataset.phrases.length} phrases to ${out}. ` +
      `${layout === 'folder' ? `See contact-sheet.png; read them with --data ${out}` : `Read them with --data ${layout}:${out}`}, ` +
      `or the phrases alone with --data ms-cxr:${out}.\nResearch use only, not for diagnosis.\n`,
  );
}

/** Parser of an option that takes a whole number of at least `least`. */
function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Expected a whole number of ${least} or more.`);
  };
}
