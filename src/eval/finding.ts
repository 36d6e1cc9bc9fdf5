import type { Box, GrayImage } from '../data/types.ts';
import { type Localization, similarityMap } from './localizer.ts';
import { extent, type Grid, type RescalePreset, rescale, type Size } from './maps.ts';
import { type OverlayOptions, type RgbaImage, renderOverlay } from './overlay.ts';
import { decidePresence, type PresenceCalibration, type PresenceDecision, presenceSignals } from './presence.ts';
import { similarityLevel } from './probes.ts';
import { localizationBox, type Region, regionsAbove } from './regions.ts';

/** Where a phrase was found, in pixels of the image. */
export interface PhraseFinding {
  readonly phrase: string;
  /** Largest and mean cosine of the phrase with a region, before smoothing and rescaling. */
  readonly similarity: { readonly max: number; readonly mean: number };
  /** Whether the phrase is in the image at all; null where the run has no calibrated threshold. */
  readonly presence: PresenceDecision | null;
  /** Pixel with the largest value of the map. */
  readonly peak: { readonly x: number; readonly y: number };
  /** Around everything over the threshold; null when nothing is. */
  readonly box: Box | null;
  /** The connected regions over the threshold, the one with the peak first. */
  readonly regions: readonly Region[];
  /** Share of the image over the threshold. */
  readonly area: number;
  /** The map over the image, rescaled by the preset. */
  readonly map: Grid;
  /** The cosines that the map's smallest and largest value stand for. */
  readonly cosines: readonly [number, number];
}

export interface FindingOptions {
  readonly sigma: number;
  readonly preset: RescalePreset;
  readonly threshold: number;
  /** Decides between present and absent. */
  readonly calibration?: PresenceCalibration | undefined;
}

/** Turns a similarity grid into a map over the image (only its size counts) and the regions over a threshold. */
export function describeFinding(
  phrase: string,
  localization: Localization,
  image: Size,
  { sigma, preset, threshold, calibration }: FindingOptions,
): PhraseFinding {
  const smooth = similarityMap(localization, image, image, { sigma, radius: Math.round(4 * sigma) });
  const map = rescale(smooth, preset);
  const { peak: max, mean } = similarityLevel(localization.grid);
  let peak = 0;
  for (let i = 1; i < map.data.length; i++) if ((map.data[i] ?? 0) > (map.data[peak] ?? 0)) peak = i;
  const regions = regionsAbove(map, threshold);
  return {
    phrase,
    similarity: { max, mean },
    presence: (calibration && decidePresence(presenceSignals(localization, calibration.sigma), calibration)) ?? null,
    peak: { x: peak % map.width, y: Math.floor(peak / map.width) },
    box: localizationBox(map, threshold) ?? null,
    regions,
    area: regions.reduce((sum, region) => sum + region.area, 0) / map.data.length,
    map,
    cosines: extent(smooth),
  };
}

/** Longest side of the picture: small images are enlarged to be looked at, very large ones reduced. */
const pictureSides = [512, 1280] as const;

/** Heat map and contour over the image, with the figures and the research notice below. */
export function drawFinding(
  image: GrayImage,
  finding: PhraseFinding,
  options: FindingOptions & Pick<OverlayOptions, 'colors' | 'opacity' | 'mask'>,
): RgbaImage {
  const { map, phrase, similarity, presence } = finding;
  const { preset, threshold, colors, opacity, mask } = options;
  const [least, most] = pictureSides;
  return renderOverlay(image, {
    map,
    contours: [threshold],
    range: shownRange(finding, preset),
    ...(colors ? { colors } : {}),
    ...(opacity === undefined ? {} : { opacity }),
    ...(mask ? { mask } : {}),
    longestSide: Math.min(most, Math.max(least, image.width, image.height)),
    caption: `"${phrase}": similarity ${formatSimilarity(similarity.max, 2)} at most, ${formatSimilarity(similarity.mean, 2)} on average; contour at ${threshold} (${preset}). ${sentenceCase(describePresence(presence))}.`,
  });
}

/** The values drawn without and with full colour: a stretched map always reaches from -1 to 1, a cosine is drawn on its own range. */
export function shownRange({ cosines }: PhraseFinding, preset: RescalePreset): readonly [number, number] {
  return preset === 'paper-minmax' ? [-1, 1] : cosines;
}

/** Cosines need few decimals; weights over an image, which are small, keep two digits that say something. */
export function formatSimilarity(value: number, decimals: number): string {
  return value !== 0 && Math.abs(value) < 0.01 ? value.toPrecision(2) : value.toFixed(decimals);
}

/** `absent (peak similarity 0.412 below 0.543)` */
export function describePresence(presence: PresenceDecision | null): string {
  if (!presence) return 'not calibrated: whether the phrase is in the image at all is not known';
  const { present, signal, value, threshold } = presence;
  const name = signal === 'global' ? 'similarity of the whole image' : 'peak similarity';
  return `${present ? 'present' : 'absent'} (${name} ${value.toFixed(3)} ${present ? 'reaches' : 'below'} ${threshold.toFixed(3)})`;
}

function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
