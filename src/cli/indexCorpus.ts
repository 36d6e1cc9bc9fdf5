import type { Command } from 'commander';
import { Option } from 'commander';
import { sectionChoices, viewChoices } from '../data/corpora/filters.ts';
import { command } from './common.ts';
import { wholeNumber } from './flags.ts';
import type { IndexFlags } from './indexCorpusCommand.ts';

export function registerIndex(program: Command): void {
  program
    .command('index')
    .description('check a corpus on disk, count what it holds, and list its images and reports in one file')
    .argument('<corpus>', 'mimic-cxr-jpg, mimic-cxr, iu-xray, rsna, covid-rural, ms-cxr, chexlocalize or folder')
    .requiredOption('--root <folder>', 'where the corpus lies, as it was unpacked')
    .requiredOption('--out <file>', 'index to write, e.g. index.jsonl; used with --data index.jsonl')
    .option('--images <folder>', 'images elsewhere, e.g. a resized mirror or the MIMIC-CXR-JPG of MS-CXR')
    .option('--reports <path>', 'reports elsewhere: a folder, mimic-cxr-reports.zip or mimic_cxr_sectioned.csv')
    .option('--split-file <csv>', 'keep only the images in its column ID, in its column split (default: test)')
    .option('--check-images', 'look for every image of MIMIC-CXR and leave missing ones out; without it, for some')
    .addOption(
      new Option('--views <which>', 'frontal; unknown: also those without a view; all')
        .choices(viewChoices)
        .default('frontal'),
    )
    .option('--min-words <n>', 'least words of a report', wholeNumber(0), 3)
    .addOption(
      new Option(
        '--sections <which>',
        'what is read of a report; one: impression, else findings, else the last paragraph',
      )
        .choices(sectionChoices)
        .default('findings+impression'),
    )
    .option('--json', 'print the counts as JSON')
    .action(
      command(async (corpus: string, flags: IndexFlags) => {
        const { indexCorpus } = await import('./indexCorpusCommand.ts');
        await indexCorpus(corpus, flags);
      }),
    );
}
