import { computed, signal, batch as together } from '@preact/signals';
import type { Annotation } from '../../src/data/annotations/annotation.ts';
import { isNameOf } from '../../src/data/annotations/fileNames.ts';
import { sortFolder } from '../../src/data/annotations/folderFiles.ts';
import { type LocalizationPlan, type PlannedImage, planLocalizations } from '../../src/data/annotations/plan.ts';
import { DataError } from '../../src/data/errors.ts';
import { type FindingsRow, findingsTable } from '../../src/eval/findingsTable.ts';
import { formatDuration } from '../../src/io/duration.ts';
import type { DroppedFile } from './dropped.ts';
import { attempt, withEngine } from './session.ts';
import { announcement, cards, colors, opacity, preset, threshold } from './state.ts';
import { engine } from './workers.ts';
import { ZipWriter } from './zip.ts';

/** Many images that were given, with what came beside them. */
export interface Batch {
  readonly files: ReadonlyMap<string, File>;
  readonly images: readonly string[];
  readonly masks: readonly string[];
  /** Says what to look for where; undefined: the phrases of the page in every image. */
  readonly table: { readonly name: string; readonly annotations: readonly Annotation[] } | undefined;
  /** Files that are of no use. */
  readonly unused: readonly string[];
}

export interface BatchProgress {
  readonly done: number;
  readonly all: number;
  /** E.g. `3 min 20 s`; empty until it can be said. */
  readonly left: string;
}

export const offered = signal<Batch | undefined>(undefined);
export const batchProgress = signal<BatchProgress | undefined>(undefined);
/** What the last batch came to. */
export const batchResult = signal('');

const phrases = computed(() => [
  ...new Set(cards.value.map(({ text }) => text.value.trim()).filter((text) => text !== '')),
]);

/** What will be looked for in which image. */
export const batchPlan = computed<LocalizationPlan | undefined>(() => {
  const batch = offered.value;
  if (!batch) return undefined;
  const { images, masks, table } = batch;
  return planLocalizations({ images, masks, annotations: table?.annotations, phrases: phrases.value });
});

/** Takes files as a batch, to be started by the person. Tables alone go to the images that are there already. */
export function offerBatch(files: readonly DroppedFile[]): Promise<void> {
  return attempt(async () => {
    if (files.length === 0 || batchProgress.value) return;
    const given = new Map(withoutRoot(files).map(({ path, file }) => [path, file]));
    const sorted = sortFolder([...given.keys()]);
    const before = offered.value;
    const isAddition = before !== undefined && sorted.images.length === 0;
    if (!isAddition && sorted.images.length === 0) {
      throw new DataError(
        `Expected PNG, JPEG or DICOM images, found none among ${files.length} ${files.length === 1 ? 'file' : 'files'}.`,
      );
    }
    const { table, unused } = await chooseTable(sorted.tables, given);
    const batch: Batch = {
      files: isAddition ? new Map([...before.files, ...given]) : given,
      images: isAddition ? before.images : sorted.images,
      masks: isAddition ? [...new Set([...before.masks, ...sorted.masks])] : sorted.masks,
      table: table ?? (isAddition ? before.table : undefined),
      unused: [...sorted.others, ...unused],
    };
    together(() => {
      offered.value = batch;
      batchResult.value = '';
    });
    announcement.value = `${batch.images.length} images are ready to be looked through, under Many images.`;
  });
}

/** Paths from the folder that was given, as they stand in its tables and as the command line names its files. */
function withoutRoot(files: readonly DroppedFile[]): readonly DroppedFile[] {
  const roots = new Set(files.map(({ path }) => (path.includes('/') ? path.slice(0, path.indexOf('/') + 1) : '')));
  const [root = ''] = roots;
  return roots.size === 1 ? files.map(({ path, file }) => ({ path: path.slice(root.length), file })) : files;
}

export function withdrawBatch(): void {
  offered.value = undefined;
}

/** The one table with annotations; of several, `phrases.csv` of a data folder. */
async function chooseTable(
  paths: readonly string[],
  files: ReadonlyMap<string, File>,
): Promise<{ table: Batch['table']; unused: readonly string[] }> {
  const tables: { path: string; annotations: Annotation[] }[] = [];
  const unused: string[] = [];
  const preferred = paths.filter((path) => /(?:^|\/)phrases\.csv$/i.test(path));
  for (const path of preferred.length === 1 ? preferred : paths) {
    const file = files.get(path);
    const annotations = file && (await engine.openAnnotations(file));
    if (annotations) tables.push({ path, annotations });
    else unused.push(path);
  }
  const [first, second] = tables;
  // LabelMe writes a file an image.
  const areMany = tables.every(({ path, annotations }) => /\.json$/i.test(path) && annotations.length === 1);
  if (second && !areMany) {
    throw new DataError(
      `Expected one table of phrases or places, found ${tables.length}: ${tables.map(({ path }) => path).join(', ')}. ` +
        'Leave one, or call it phrases.csv.',
    );
  }
  const others = preferred.length === 1 ? paths.filter((path) => path !== preferred[0]) : [];
  return {
    table: first && {
      name: second ? `${tables.length} JSON files` : first.path,
      annotations: tables.flatMap(({ annotations }) => annotations),
    },
    unused: [...unused, ...others],
  };
}

let isStopped = false;

export function stopBatch(): void {
  isStopped = true;
}

/** Looks through the offered images; gives a zip of `findings.csv` and maps, of what was done where it was stopped. */
export async function runBatch(): Promise<Blob | undefined> {
  const [batch, plan] = [offered.value, batchPlan.value];
  if (!batch || !plan) return undefined;
  isStopped = false;
  const look = { preset: preset.value, threshold: threshold.value, colors: colors.value, opacity: opacity.value };
  const zip = new ZipWriter();
  const rows: FindingsRow[] = [];
  const all = plan.images.length;
  const begin = performance.now();
  batchResult.value = '';
  batchProgress.value = { done: 0, all, left: '' };
  try {
    for (const [i, planned] of plan.images.entries()) {
      if (isStopped) break;
      const image = batch.files.get(planned.file);
      if (!image) continue;
      const task = { planned, number: i + 1, image, masks: namedMasks(planned, batch), look };
      const found = await withEngine(() => engine.localizeFile(task));
      rows.push(...found.rows);
      for (const { name, png } of found.pictures) zip.add(name, png);
      const left = formatDuration(((performance.now() - begin) / (i + 1)) * (all - i - 1));
      batchProgress.value = { done: i + 1, all, left };
    }
    zip.add('findings.csv', new TextEncoder().encode(findingsTable(rows, look)));
    batchResult.value = describeResult(rows, isStopped);
    announcement.value = batchResult.value;
    return zip.end();
  } catch (error) {
    batchResult.value = `Stopped: ${error instanceof Error ? error.message : String(error)}`;
    announcement.value = batchResult.value;
    return undefined;
  } finally {
    batchProgress.value = undefined;
  }
}

/** The mask files that the phrases of an image may mean. */
function namedMasks({ phrases: wanted }: PlannedImage, { masks, files }: Batch): Map<string, File> {
  const names = wanted.flatMap(({ places = [] }) =>
    places.flatMap(({ region }) => (region.kind === 'file' ? [region.file] : [])),
  );
  const paths = masks.filter((path) => names.some((name) => isNameOf(name, path)));
  return new Map(paths.flatMap((path) => [[path, files.get(path)] as const]).filter(isThere));
}

function isThere(entry: readonly [string, File | undefined]): entry is [string, File] {
  return entry[1] !== undefined;
}

function describeResult(rows: readonly FindingsRow[], stopped: boolean): string {
  const failed = rows.filter((row) => 'error' in row).length;
  const agreements = rows.flatMap((row) => ('agreement' in row && row.agreement ? [row.agreement] : []));
  const mean = (of: 'iou' | 'dice'): string =>
    (agreements.reduce((sum, agreement) => sum + agreement[of], 0) / agreements.length).toFixed(3);
  return [
    `Saved ${rows.length - failed} maps and findings.csv as groundray-findings.zip${stopped ? ' (stopped early)' : ''}.`,
    ...(agreements.length > 0
      ? [`With the ground truth of ${agreements.length}: IoU ${mean('iou')}, Dice ${mean('dice')} on average.`]
      : []),
    ...(failed > 0 ? [`${failed} could not be looked for; the table says why.`] : []),
  ].join(' ');
}
