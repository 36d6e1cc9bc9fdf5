import type { Dataset, GrayImage, GroundedPhrase, Mask } from '../data/types.ts';
import type { PhraseScore } from './aggregate.ts';
import type { Localizer } from './localizer.ts';
import { type Grid, type RescalePreset, rescale } from './maps.ts';
import { type OverlayOptions, type RgbaImage, renderOverlay } from './overlay.ts';
import type { GroundingResult } from './result.ts';
import { modelMap, walkPhrases } from './walk.ts';

/** A localized phrase to look at. */
export interface GroundingExample {
  readonly studyId: string;
  readonly phrase: string;
  readonly category: string;
  /** Mean IoU over the protocol's thresholds. */
  readonly iou: number;
  readonly image: GrayImage;
  readonly mask: Mask;
  /** The model's map in the frame of the mask, rescaled by the preset. */
  readonly map: Grid;
  readonly preset: RescalePreset;
  /** Level of the predicted region's contour: the threshold chosen on validation, else the middle of the protocol's. */
  readonly threshold: number;
}

/**
 * Chooses phrases spread evenly from the best to the worst score, so that a gallery shows failures in proportion; among
 * neighbours the class that was shown least so far is taken.
 */
export function chooseExamples(rows: readonly PhraseScore[], count: number): PhraseScore[] {
  const ranked = rows.filter((row) => Number.isFinite(row.scores.iou)).sort((a, b) => b.scores.iou - a.scores.iou);
  const total = Math.min(count, ranked.length);
  const shown = new Map<string, number>();
  const chosen: PhraseScore[] = [];
  for (let k = 0; k < total; k++) {
    const from = Math.floor((k * ranked.length) / total);
    const to = Math.floor(((k + 1) * ranked.length) / total);
    const centre = (from + to - 1) / 2;
    const candidates = ranked
      .slice(from, to)
      .map((row, i) => ({ row, used: shown.get(row.category) ?? 0, away: Math.abs(from + i - centre) }))
      .sort((a, b) => a.used - b.used || a.away - b.away);
    const [best] = candidates;
    if (!best) continue;
    shown.set(best.row.category, best.used + 1);
    chosen.push(best.row);
  }
  return chosen;
}

export interface ExampleOptions {
  readonly localizer: Localizer;
  readonly dataset: Dataset;
  readonly result: GroundingResult;
  /** Default 9. */
  readonly count?: number;
  /** Default: the first preset of the result. */
  readonly preset?: RescalePreset;
  /** The phrases that were evaluated. Default: all of the dataset. */
  readonly phrases?: readonly GroundedPhrase[];
  readonly signal?: AbortSignal;
}

/** Localizes the examples of a result again, to draw them. */
export async function collectExamples(options: ExampleOptions): Promise<GroundingExample[]> {
  const { localizer, dataset, result } = options;
  const { sigma, radius, evaluationSide, thresholds } = result.protocol;
  const chosenPreset = result.presets.find(({ preset }) => preset === options.preset) ?? result.presets[0];
  const model = chosenPreset?.methods[0];
  if (!chosenPreset || !model) return [];
  const { preset } = chosenPreset;
  const chosen = chooseExamples(model.rows, options.count ?? 9);
  const keyOf = (row: { studyId: string; phrase: string; category: string }) =>
    JSON.stringify([row.studyId, row.phrase, row.category]);
  const wanted = new Map(chosen.map((row) => [keyOf(row), row]));
  const phrases = (options.phrases ?? dataset.phrases).filter((phrase) => wanted.has(keyOf(phrase)));
  const found = new Map<string, GroundingExample>();
  const walk = { localizer, dataset, evaluationSide, signal: options.signal };
  for await (const { localized } of walkPhrases(walk, phrases)) {
    for (const item of localized) {
      const { studyId, phrase, category } = item.phrase;
      found.set(keyOf(item.phrase), {
        studyId,
        phrase,
        category,
        iou: wanted.get(keyOf(item.phrase))?.scores.iou ?? Number.NaN,
        image: await dataset.loadImage(studyId),
        mask: item.mask,
        map: rescale(modelMap(item, { sigma, radius }), preset),
        preset,
        threshold: model.bestThreshold ?? thresholds[Math.floor(thresholds.length / 2)] ?? 0,
      });
    }
  }
  return chosen.flatMap((row) => found.get(keyOf(row)) ?? []);
}

/** Draws an example: heat map, contour of the predicted region and outline of the ground truth. */
export function renderExample(example: GroundingExample, options: OverlayOptions = {}): RgbaImage {
  const { map, mask, threshold, preset } = example;
  return renderOverlay(example.image, {
    map,
    mask,
    contours: [threshold],
    ...(preset === 'paper-minmax' ? { range: [-1, 1] as const } : {}),
    ...options,
  });
}
