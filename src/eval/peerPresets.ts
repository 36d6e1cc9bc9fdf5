import type { Mask } from '../data/types.ts';
import { type Localization, squareFrame } from './localizer.ts';
import { type Grid, rescale, type Size } from './maps.ts';
import { contrastToNoise, countOverThresholds, meanOverThresholds, overlap, PAPER_THRESHOLDS } from './metrics.ts';

/**
 * How the peers measured, so that a model can be set beside the figures that they print.
 * - `biovil` (Boecking et al. 2022, MS-CXR): smoothed cosine map as it is, IoU averaged over the thresholds 0.1 to 0.5, CNR.
 * - `medklip` (Wu et al. 2023, RSNA): attention over the cells, not smoothed, every cell a square of equal pixels, one
 *   threshold at 1.568 times the mean (0.008 for 14x14 cells); a tie for the peak counts as a hit.
 * - `chexlocalize` (Saporta et al. 2022): map stretched to [0, 1], one threshold per class (0.2 to 0.8) with the best mean
 *   IoU on validation images; hit rate of the peak.
 */
export const PEER_PRESETS = ['biovil', 'medklip', 'chexlocalize'] as const;
export type PeerPreset = (typeof PEER_PRESETS)[number];

export const PEER_METRICS = ['iou', 'dice', 'cnr', 'pointing'] as const;
export type PeerMetric = (typeof PEER_METRICS)[number];
export type PeerScores = Readonly<Record<PeerMetric, number>>;

/** MedKLIP's threshold for attention that sums to 1 over 14 x 14 cells; for other grids in proportion. */
const MEDKLIP_THRESHOLD = 0.008 * 14 * 14;
/** Thresholds that CheXlocalize tries, of a map in [0, 1]. */
export const CHEXLOCALIZE_CANDIDATES: readonly number[] = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];

/** @param map The smoothed cosine map in the frame of the mask, not rescaled. */
export function biovilScores(map: Grid, mask: Mask): PeerScores {
  const { iou, dice } = overlap(countOverThresholds(map, mask, PAPER_THRESHOLDS));
  return {
    iou: meanOverThresholds(iou, 'zero'),
    dice: meanOverThresholds(dice, 'zero'),
    cnr: contrastToNoise(map, mask),
    pointing: Number.NaN,
  };
}

/**
 * A model's cosines as attention over the cells, which sums to 1.
 * @param temperature Of the softmax; that of the local contrast's attention.
 */
export function attentionOf(grid: Grid, temperature: number): Grid {
  const largest = grid.data.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const weights = Float64Array.from(grid.data, (value) => Math.exp((value - largest) / temperature));
  const total = weights.reduce((sum, value) => sum + value, 0);
  return { width: grid.width, height: grid.height, data: Float32Array.from(weights, (value) => value / total) };
}

/** A map that is no cosine, as attention: what is negative counts 0. A map without weight is spread evenly. */
export function weightsOf(grid: Grid): Grid {
  const total = grid.data.reduce((sum, value) => sum + Math.max(0, value), 0);
  const even = 1 / grid.data.length;
  return { ...grid, data: grid.data.map((value) => (total > 0 ? Math.max(0, value) / total : even)) };
}

/** @param attention Sums to 1 over the cells. */
export function medklipScores(attention: Localization, image: Size, mask: Mask): PeerScores {
  const map = nearestCells(attention, image, mask);
  const { width, height } = attention.grid;
  const { iou, dice } = overlap(countOverThresholds(map, mask, [MEDKLIP_THRESHOLD / (width * height)]));
  const peak = map.data.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  return {
    iou: meanOverThresholds(iou, 'zero'),
    dice: meanOverThresholds(dice, 'zero'),
    cnr: Number.NaN,
    pointing: map.data.some((value, i) => value === peak && mask.data[i] !== 0) ? 1 : 0,
  };
}

/** Every pixel has the value of the cell that it lies in; beyond the grid, of the nearest cell. */
function nearestCells({ grid, frame }: Localization, image: Size, target: Size): Grid {
  const box = frame ?? squareFrame(image);
  const cell = (pixel: number, pixels: number, size: number, start: number, length: number, cells: number): number => {
    const position = ((pixel + 0.5) * (size / pixels) - start) * (cells / length);
    return Math.min(cells - 1, Math.max(0, Math.floor(position)));
  };
  const data = new Float32Array(target.width * target.height);
  for (let y = 0; y < target.height; y++) {
    const row = cell(y, target.height, image.height, box.y, box.height, grid.height) * grid.width;
    for (let x = 0; x < target.width; x++) {
      const column = cell(x, target.width, image.width, box.x, box.width, grid.width);
      data[y * target.width + x] = grid.data[row + column] ?? 0;
    }
  }
  return { width: target.width, height: target.height, data };
}

/** IoU of the map, stretched to [0, 1], at every candidate; an empty prediction counts 0. */
export function chexlocalizeCandidates(map: Grid, mask: Mask): number[] {
  const { iou } = overlap(countOverThresholds(unitRange(map), mask, CHEXLOCALIZE_CANDIDATES));
  return iou.map((value) => (Number.isNaN(value) ? 0 : value));
}

/** The candidate with the best mean IoU of each class; the lowest of several equals. */
export function chexlocalizeThresholds(
  phrases: readonly { readonly category: string; readonly iou: readonly number[] }[],
): Map<string, number> {
  const totals = new Map<string, number[]>();
  for (const { category, iou } of phrases) {
    const sums = totals.get(category) ?? CHEXLOCALIZE_CANDIDATES.map(() => 0);
    totals.set(
      category,
      sums.map((sum, k) => sum + (iou[k] ?? 0)),
    );
  }
  return new Map(
    [...totals].map(([name, sums]) => [name, CHEXLOCALIZE_CANDIDATES[sums.indexOf(Math.max(...sums))] ?? 0.5]),
  );
}

/** @param threshold Of the phrase's class; undefined where no validation phrase had that class. */
export function chexlocalizeScores(map: Grid, mask: Mask, threshold: number | undefined, pointing: number): PeerScores {
  if (threshold === undefined) return { iou: Number.NaN, dice: Number.NaN, cnr: Number.NaN, pointing };
  const { iou, dice } = overlap(countOverThresholds(unitRange(map), mask, [threshold]));
  return { iou: meanOverThresholds(iou, 'zero'), dice: meanOverThresholds(dice, 'zero'), cnr: Number.NaN, pointing };
}

function unitRange(map: Grid): Grid {
  const { data, width, height } = rescale(map, 'paper-minmax');
  return { width, height, data: data.map((value) => (value + 1) / 2) };
}
