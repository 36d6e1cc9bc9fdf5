import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { findMask } from '../data/annotations/fileNames.ts';
import { type FolderFiles, sortFolder } from '../data/annotations/folderFiles.ts';
import { type LocalizationPlan, planLocalizations } from '../data/annotations/plan.ts';
import { requireAnnotations } from '../data/annotations/read.ts';
import { readTextFile } from '../data/corpora/files.node.ts';
import { DataError } from '../data/errors.ts';
import { unreadableWords } from '../data/text/phraseWords.ts';
import type { Mask } from '../data/types.ts';
import { drawFinding, type FindingOptions } from '../eval/finding.ts';
import { type FindingsRow, findingsTable } from '../eval/findingsTable.ts';
import { type ImageSource, localizeImage } from '../eval/localizeImage.ts';
import { ModelLocalizer } from '../eval/modelLocalizer.ts';
import { RESEARCH_NOTICE } from '../eval/notice.ts';
import { writeFileAtomic } from '../io/atomic.node.ts';
import { readImage, readMask } from '../io/image.node.ts';
import { encodePng } from '../io/png.node.ts';
import { readCalibration } from '../train/calibration.node.ts';
import { openGpu } from './adapter.ts';
import { shownPath, UsageError } from './common.ts';
import { adapterOf } from './flags.ts';
import { interruptSignal } from './interrupt.ts';
import { chooseThreshold, type LocalizeFlags } from './localizeCommand.ts';
import { localizingDisplay } from './localizingProgress.ts';
import { systemOf } from './systemFlags.ts';
import { findTrainedRun, loadTrainedModel } from './trainedModel.ts';

/** Flags as commander gives them: for one image, or for many. */
export interface AnyLocalizeFlags extends Omit<LocalizeFlags, 'image' | 'phrase'> {
  readonly image?: string;
  readonly phrase?: readonly string[];
  /** A folder of images. */
  readonly images?: string;
  /** What to look for in which image, and where it is known to be. */
  readonly csv?: string;
}

/** `groundray localize --images` or `--csv`: many images, a table of findings and their maps. */
export async function localizeFolder(flags: AnyLocalizeFlags): Promise<void> {
  const { phrase: phrases = [], preset, out = 'findings' } = flags;
  checkFlags(flags);
  const run = findTrainedRun(flags.run);
  const folder = flags.images ?? dirname(flags.csv ?? '');
  const { plan, masks } = planFolder(folder, flags.csv, phrases, out);
  const threshold = chooseThreshold(flags.threshold, run, preset);
  warnOf(plan.unusable);
  const options: FindingOptions = {
    ...{ sigma: run.config.sigma, preset, threshold: threshold.value },
    calibration: await readCalibration(run.folder),
  };
  const { signal, dispose } = interruptSignal('Stopping after this image; what was found is kept.');
  const gpu = await openGpu(adapterOf(flags), false, (text) => void process.stdout.write(text));
  try {
    const { model, arena } = loadTrainedModel(gpu, run);
    const localizer = new ModelLocalizer(gpu, model, run.tokenizer, run.config);
    const source: ImageSource = {
      loadImage: (file) => readImage(join(folder, file), file),
      loadMask: (file, where) => readNamedMask(folder, masks, flags.csv, file, where),
      unreadableWords: (phrase) => unreadableWords(phrase, run.tokenizer),
      localize: (image, wanted) => localizer.localize(image, wanted),
    };
    const rows = await writeFindings(plan, source, options, out, signal);
    arena.dispose();
    process.stdout.write(summary(plan, rows, out, threshold, preset));
  } finally {
    dispose();
    gpu.dispose();
  }
}

function checkFlags(flags: AnyLocalizeFlags): void {
  const { image, images, csv, json, phrase } = flags;
  if (image !== undefined) throw new UsageError('--image is one image, --images and --csv are many; give one of them.');
  if (json) throw new UsageError('--json prints one image; of many images the result is the table findings.csv.');
  if (systemOf(flags) !== undefined)
    throw new UsageError('--system takes one --image; --images and --csv take a --run.');
  if (images !== undefined && !(existsSync(images) && statSync(images).isDirectory())) {
    throw new UsageError(`--images ${images}: expected a folder, found ${existsSync(images) ? 'a file' : 'nothing'}.`);
  }
  if (csv === undefined && phrase === undefined) {
    throw new UsageError('Expected --phrase with what to look for, or --csv with a table that says so; found neither.');
  }
}

/** A table of a whole corpus may name thousands of images that are not there. */
const mostWarnings = 10;

function warnOf(unusable: LocalizationPlan['unusable']): void {
  for (const { where, reason } of unusable.slice(0, mostWarnings)) {
    process.stderr.write(`Warning: ${where}: ${reason}\n`);
  }
  const rest = unusable.length - mostWarnings;
  if (rest > 0) process.stderr.write(`Warning: so it is with ${rest} more.\n`);
}

/** The files of a folder and what is wanted of them. */
function planFolder(
  folder: string,
  csv: string | undefined,
  phrases: readonly string[],
  out: string,
): { plan: LocalizationPlan; masks: FolderFiles['masks'] } {
  const annotations = csv === undefined ? undefined : requireAnnotations(readTextFile(csv), basename(csv));
  if (phrases.length === 0 && annotations?.some(({ phrase }) => phrase === undefined)) {
    throw new UsageError(`${csv} says where something is, but not what: expected --phrase with what to look for.`);
  }
  const { images, masks } = sortFolder(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      // What was found before is not looked at again.
      .filter((path) => relative(out, path).startsWith('..'))
      .map((path) => relative(folder, path).replaceAll('\\', '/')),
  );
  const plan = planLocalizations({ images, masks, annotations, phrases });
  if (plan.images.length > 0) return { plan, masks };
  const [first] = plan.unusable;
  throw new DataError(
    `${folder}: expected PNG, JPEG or DICOM images, found ${first ? `none of the table (${first.where}: ${first.reason})` : 'none'}.`,
  );
}

/** A mask as a table names it: a path from the folder or from the table, or the name of a file in the folder. */
async function readNamedMask(
  folder: string,
  masks: readonly string[],
  csv: string | undefined,
  name: string,
  where: string,
): Promise<Mask> {
  const file = findMask(name, masks, (path) => existsSync(join(folder, path)));
  if (file !== undefined) return readMask(join(folder, file), file);
  const beside = csv === undefined ? undefined : join(dirname(csv), name);
  if (beside !== undefined && existsSync(beside)) return readMask(beside, name);
  throw new DataError(`${where}: expected a mask at "${name}", found no such file.`);
}

async function writeFindings(
  plan: LocalizationPlan,
  source: ImageSource,
  options: FindingOptions,
  out: string,
  signal: AbortSignal,
): Promise<FindingsRow[]> {
  const rows: FindingsRow[] = [];
  const display = localizingDisplay(plan.images.length);
  try {
    for (const [i, planned] of plan.images.entries()) {
      if (signal.aborted) break;
      for (const each of await localizeImage(planned, i + 1, source, options)) {
        rows.push(each.row);
        if (!('finding' in each)) continue;
        const { row, finding, image, mask } = each;
        const picture = drawFinding(image, finding, { ...options, ...(mask ? { mask } : {}) });
        await writeFileAtomic(join(out, row.picture), encodePng(picture));
      }
      display.update(i + 1);
    }
  } finally {
    display.stop();
  }
  await writeFileAtomic(join(out, 'findings.csv'), findingsTable(rows, options));
  return rows;
}

function summary(
  plan: LocalizationPlan,
  rows: readonly FindingsRow[],
  out: string,
  threshold: { readonly value: number; readonly source: string },
  preset: string,
): string {
  const failed = rows.filter((row) => 'error' in row).length;
  const agreements = rows.flatMap((row) => ('agreement' in row && row.agreement ? [row.agreement] : []));
  const mean = (of: 'iou' | 'dice'): string =>
    (agreements.reduce((sum, agreement) => sum + agreement[of], 0) / agreements.length).toFixed(3);
  const lines = [
    `Threshold: ${threshold.value} (${threshold.source}), preset ${preset}`,
    `${rows.length - failed} phrases in ${plan.images.length} images${failed > 0 ? `; ${failed} failed, the table says why` : ''}`,
    ...(agreements.length > 0
      ? [`With the ground truth of ${agreements.length}: IoU ${mean('iou')}, Dice ${mean('dice')} on average`]
      : []),
    ...(plan.unnamed.length > 0 ? [`Not in the table, and not looked at: ${plan.unnamed.length}`] : []),
    `Table: ${shownPath(join(out, 'findings.csv'))}, maps in ${shownPath(join(out, 'maps'))}`,
    RESEARCH_NOTICE,
  ];
  return `${lines.join('\n')}\n`;
}
