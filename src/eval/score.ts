import type { Mask } from '../data/types.ts';
import type { MetricName } from './aggregate.ts';
import { type Grid, type RescalePreset, rescale } from './maps.ts';
import { contrastToNoise, countOverThresholds, meanOverThresholds, overlap, pointingGame } from './metrics.ts';
import { pixelRanking } from './ranking.ts';

export interface ScoreOptions {
  readonly presets: readonly RescalePreset[];
  /** In ascending order. */
  readonly thresholds: readonly number[];
  /** Threshold chosen on validation phrases per preset, in order; without it `iouBest` and `diceBest` are NaN. */
  readonly bestThresholds?: readonly (number | undefined)[] | undefined;
}

/**
 * All metrics of one map (in the frame of the mask, not rescaled yet) under every preset, in the order of the presets.
 */
export function scoreMap(map: Grid, mask: Mask, options: ScoreOptions): Readonly<Record<MetricName, number>>[] {
  // Neither the order of the pixels nor CNR change under rescaling, so these are taken once for all presets.
  const { auroc, averagePrecision } = pixelRanking(map, mask);
  const cnr = contrastToNoise(map, mask);
  const pointing = pointingGame(map, mask);
  return options.presets.map((preset, p) => {
    const scaled = rescale(map, preset);
    const { iou, dice } = overlap(countOverThresholds(scaled, mask, options.thresholds));
    const best = options.bestThresholds?.[p];
    const atBest = best === undefined ? undefined : overlap(countOverThresholds(scaled, mask, [best]));
    return {
      iou: meanOverThresholds(iou, 'zero'),
      dice: meanOverThresholds(dice, 'zero'),
      iouNonEmpty: meanOverThresholds(iou, 'drop'),
      diceNonEmpty: meanOverThresholds(dice, 'drop'),
      iouBest: atBest ? meanOverThresholds(atBest.iou, 'zero') : Number.NaN,
      diceBest: atBest ? meanOverThresholds(atBest.dice, 'zero') : Number.NaN,
      cnr,
      cnrAbsolute: Math.abs(cnr),
      pointing,
      auroc,
      averagePrecision,
    };
  });
}

/** Candidates for the threshold chosen on validation phrases: -0.95 to 0.95 in steps of 0.05. */
export const THRESHOLD_CANDIDATES: readonly number[] = Array.from({ length: 39 }, (_, i) => (i - 19) / 20);

/** IoU at every candidate threshold, empty predictions count 0. */
export function iouPerCandidate(map: Grid, mask: Mask, preset: RescalePreset): number[] {
  const { iou } = overlap(countOverThresholds(rescale(map, preset), mask, THRESHOLD_CANDIDATES));
  return iou.map((value) => (Number.isNaN(value) ? 0 : value));
}

/**
 * The candidate with the largest IoU, averaged per class and over classes; the lowest of several equals. Undefined
 * without a phrase.
 */
export function chooseThreshold(
  phrases: readonly { readonly category: string; readonly iou: readonly number[] }[],
): number | undefined {
  const classSizes = new Map<string, number>();
  for (const { category } of phrases) classSizes.set(category, (classSizes.get(category) ?? 0) + 1);
  const totals = THRESHOLD_CANDIDATES.map((_, k) =>
    phrases.reduce((sum, { category, iou }) => sum + (iou[k] ?? 0) / (classSizes.get(category) ?? 1), 0),
  );
  return phrases.length === 0 ? undefined : THRESHOLD_CANDIDATES[totals.indexOf(Math.max(...totals))];
}
