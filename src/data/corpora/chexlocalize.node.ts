/** CheXlocalize (A. Saporta et al.): segmentations by radiologists on the validation and test images of CheXpert. */
import { basename } from 'node:path';
import { z } from 'zod';
import { DataError } from '../errors.ts';
import type { Region } from '../region.ts';
import type { Split } from '../types.ts';
import type { Corpus, CorpusItem, CorpusLocation, ReadOptions, RecordPhrase } from './corpus.ts';
import { checkFolder, createImageFinder, findFirst, readJson } from './files.node.ts';
import { checkJson } from './json.ts';
import { readSplitFile } from './splitFile.node.ts';

/** What is searched for a task; tasks that are no disease have words of their own. */
const PROMPTS: Readonly<Record<string, string>> = {
  'airspace opacity': 'Findings suggesting airspace opacity.',
  'enlarged cardiomediastinum': 'Findings suggesting an enlarged cardiomediastinum.',
  'lung lesion': 'Findings suggesting a lung lesion.',
  'support devices': 'Support devices.',
};

export function promptOfTask(task: string): string {
  const name = task.toLowerCase();
  return Object.hasOwn(PROMPTS, name) ? (PROMPTS[name] ?? '') : `Findings suggesting ${name}.`;
}

export const chexlocalize: Corpus = {
  name: 'chexlocalize',
  description: 'segmented findings on CheXpert radiographs; Stanford AIMI, free registration',
  purpose: 'evaluation',
  imageRoot: ({ root, images }) => images ?? root,
  read: readChexlocalize,
};

async function* readChexlocalize(
  location: CorpusLocation,
  { onProgress, signal }: ReadOptions = {},
): AsyncGenerator<CorpusItem> {
  const { root, splitFile } = location;
  checkFolder(root, 'chexlocalize');
  const listed = splitFile ? await readSplitFile(splitFile) : undefined;
  let files = 0;
  let images = 0;
  for (const [split, short] of [
    ['validation', 'val'],
    ['test', 'test'],
  ] as const) {
    const path = findFirst(root, [
      `gt_segmentations_${short}.json`,
      `CheXlocalize/gt_segmentations_${short}.json`,
      `gt_annotations_${short}.json`,
      `CheXlocalize/gt_annotations_${short}.json`,
    ]);
    if (!path) continue;
    files++;
    const folders = short === 'val' ? ['val', 'valid'] : ['test'];
    const prefixes = folders.flatMap((folder) =>
      ['CheXpert/', 'CheXpert-v1.0/', 'CheXpert-v1.0-small/', ''].map((p) => `${p}${folder}/`),
    );
    const finder = createImageFinder(location.images ?? root, { prefixes: [...prefixes, ''] });
    const entries = basename(path).startsWith('gt_segmentations') ? readMasks(path) : readPolygons(path);
    for (const [id, phrases] of entries) {
      signal?.throwIfAborted();
      onProgress?.(`looking for images, ${split}`, ++images, entries.length);
      const own: Split | undefined = listed ? listed(id) : split;
      // patient64541_study1_view1_frontal lies in patient64541/study1/view1_frontal.jpg
      const [, patientId = id, study = '', file = id] = /^([^_/]+)_([^_/]+)_([^/]+)$/.exec(id) ?? [];
      const image = own && finder.find(study ? `${patientId}/${study}/${file}.jpg` : `${id}.jpg`);
      if (!own || !image) {
        yield { dropped: { id, reason: own ? 'there is no image' : 'the split file does not have it' } };
        continue;
      }
      const view = /lateral/i.test(id) ? 'lateral' : 'frontal';
      yield { record: { id, patientId, studyId: `${patientId}_${study}`, image, view, split: own, phrases } };
    }
    yield { note: `chexlocalize: ${basename(path)}, ${entries.length} images (published: val 234, test 668).` };
  }
  if (files === 0) {
    throw new DataError(
      `${root}: expected gt_segmentations_val.json, gt_segmentations_test.json or the gt_annotations files, found none.`,
    );
  }
}

const side = z.number().int().positive().max(65536);
const masks = z.record(z.string(), z.record(z.string(), z.object({ size: z.tuple([side, side]), counts: z.string() })));

function readMasks(path: string): [string, RecordPhrase[]][] {
  return Object.entries(checkJson(readJson(path), masks, basename(path))).map(([id, tasks]) => [
    id,
    Object.entries(tasks).flatMap(([task, { size, counts }]) => {
      const [height, width] = size;
      return isEmptyRle(counts, width * height) ? [] : [phraseOf(task, { kind: 'rle', counts, width, height })];
    }),
  ]);
}

/** A mask without a pixel is a single run; every image has one of these for each task that is absent. */
function isEmptyRle(counts: string, total: number): boolean {
  let run = 0;
  for (let i = 0; i < counts.length && i < 8; i++) {
    const bits = counts.charCodeAt(i) - 48;
    run += (bits & 0x1f) * 2 ** (5 * i);
    if ((bits & 0x20) === 0) return i === counts.length - 1 && run === total;
  }
  return false;
}

const outline = z.array(z.tuple([z.number(), z.number()]));
const polygons = z.record(
  z.string(),
  z.object({ img_size: z.tuple([side, side]) }).catchall(z.union([z.array(outline), z.tuple([side, side])])),
);

function readPolygons(path: string): [string, RecordPhrase[]][] {
  return Object.entries(checkJson(readJson(path), polygons, basename(path))).map(([id, { img_size, ...tasks }]) => [
    id,
    Object.entries(tasks).flatMap(([task, outlines]) => {
      const [height, width] = img_size;
      const closed = (outlines as [number, number][][]).filter((points) => Array.isArray(points) && points.length > 2);
      return closed.length > 0 ? [phraseOf(task, { kind: 'polygons', polygons: closed, width, height })] : [];
    }),
  ]);
}

function phraseOf(task: string, region: Region): RecordPhrase {
  return { phrase: promptOfTask(task), category: task.toLowerCase(), region };
}
