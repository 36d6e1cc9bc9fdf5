import type { Mask } from '../data/types.ts';
import { type Localization, similarityMap } from './localizer.ts';
import { type RescalePreset, rescale, type Size } from './maps.ts';
import { maskArea, reduceMask } from './masks.ts';
import { countOverThresholds, meanOverThresholds, overlap, pointingGame } from './metrics.ts';

/** Longest side that masks are compared at unless somebody says otherwise. */
export const EVALUATION_SIDE = 224;

/** How a map agrees with the ground truth. */
export interface Agreement {
  /** Of what is over the threshold; 0 where nothing is. */
  readonly iou: number;
  readonly dice: number;
  /** Whether the largest value lies in the ground truth: 1, 0, or a share where several pixels have it. */
  readonly pointing: number;
}

export interface AgreementOptions {
  readonly sigma: number;
  readonly preset: RescalePreset;
  readonly threshold: number;
}

/**
 * Measures one localization at one threshold as `evaluateGrounding` does: in the frame of the mask, which is reduced to
 * `EVALUATION_SIDE` where it is larger. Whoever measures often hands in a mask from `reduceMask`.
 *
 * @param image Size of the image that was localized; the mask shows the same field of view.
 * @returns Undefined for a mask that marks nothing, with which nothing can agree.
 */
export function agreementWith(
  mask: Mask,
  localization: Localization,
  image: Size,
  { sigma, preset, threshold }: AgreementOptions,
): Agreement | undefined {
  const truth = reduceMask(mask, EVALUATION_SIDE);
  if (maskArea(truth) === 0) return undefined;
  const map = similarityMap(localization, image, truth, { sigma, radius: Math.round(4 * sigma) });
  const { iou, dice } = overlap(countOverThresholds(rescale(map, preset), truth, [threshold]));
  return {
    iou: meanOverThresholds(iou, 'zero'),
    dice: meanOverThresholds(dice, 'zero'),
    pointing: pointingGame(map, truth),
  };
}
