/** The ground truth of CheXlocalize: run lengths or outlines of a finding by image and task. */
import * as z from 'zod';
import type { Region } from '../region.ts';
import type { RecordPhrase } from './corpus.ts';
import { checkJson } from './json.ts';

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

const side = z.number().int().positive().max(65536);
const masks = z.record(z.string(), z.record(z.string(), z.object({ size: z.tuple([side, side]), counts: z.string() })));

/** The content of `gt_segmentations_*.json`: phrases with regions by image. Throws DataError that names `source`. */
export function segmentationsOf(json: unknown, source: string): [string, RecordPhrase[]][] {
  return Object.entries(checkJson(json, masks, source)).map(([id, tasks]) => [
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

/** The content of `gt_annotations_*.json`. Throws DataError that names `source`. */
export function outlinesOf(json: unknown, source: string): [string, RecordPhrase[]][] {
  return Object.entries(checkJson(json, polygons, source)).map(([id, { img_size, ...tasks }]) => [
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
