import type { GroundedPhrase } from '../data/types.ts';
import { type Estimate, estimateMean } from './aggregate.ts';
import type { ImageResamples } from './bootstrap.ts';
import type { Grid } from './maps.ts';

/**
 * Exchanges the words left and right, capitals kept ("Left-sided" becomes "Right-sided"); undefined when the phrase has
 * neither. A model that reads the side must lose the region, one that only reads the finding does not notice.
 */
export function swapSides(phrase: string): string | undefined {
  const swapped = phrase.replace(/\b(left|right)\b/gi, (word) => {
    const other = word.toLowerCase() === 'left' ? 'right' : 'left';
    if (word === word.toUpperCase()) return other.toUpperCase();
    return word.charAt(0) === word.charAt(0).toUpperCase() ? other.charAt(0).toUpperCase() + other.slice(1) : other;
  });
  return swapped === phrase ? undefined : swapped;
}

/** The finding by the name of its class alone, e.g. "pleural effusion". */
export function namedFinding(phrase: GroundedPhrase): string {
  return phrase.category.toLowerCase();
}

/** The finding denied, e.g. "no pleural effusion". */
export function negatedFinding(phrase: GroundedPhrase): string {
  return `no ${namedFinding(phrase)}`;
}

/** One phrase with a side, localized as it stands and with the side exchanged. */
export interface SideSwapCase {
  readonly studyId: string;
  readonly iou: number;
  readonly swappedIou: number;
}

export interface SideSwapProbe {
  readonly phrases: number;
  /** IoU of these phrases as they stand. */
  readonly iou: Estimate;
  /** IoU with the side exchanged, against the same mask. */
  readonly swappedIou: Estimate;
  /** `iou - swappedIou` with a paired interval: near 0 the model does not read the side. */
  readonly drop: Estimate;
  /** `drop / iou` of the means. */
  readonly relativeDrop: number;
  /** Phrase by phrase, so that runs can be compared on the same phrases. */
  readonly cases: readonly SideSwapCase[];
}

/** The left/right-swap test; undefined without a phrase that has a side. Means are over phrases. */
export function sideSwapProbe(cases: readonly SideSwapCase[], resamples: ImageResamples): SideSwapProbe | undefined {
  if (cases.length === 0) return undefined;
  const mean = (value: (entry: SideSwapCase) => number) =>
    estimateMean(
      cases.map((entry) => ({ studyId: entry.studyId, value: value(entry) })),
      resamples,
    );
  const iou = mean((entry) => entry.iou);
  const drop = mean((entry) => entry.iou - entry.swappedIou);
  return {
    phrases: cases.length,
    iou,
    swappedIou: mean((entry) => entry.swappedIou),
    drop,
    relativeDrop: drop.value / iou.value,
    cases,
  };
}

/** One phrase and the denial of its finding, both localized in the same image. */
export interface NegationCase {
  readonly studyId: string;
  readonly positive: SimilarityLevel;
  readonly negative: SimilarityLevel;
  /** Of the class's name, which differs from the denial in the one word that denies. */
  readonly named: SimilarityLevel;
}

export interface SimilarityLevel {
  /** Largest and mean similarity of the grid, before smoothing and rescaling. */
  readonly peak: number;
  readonly mean: number;
}

export interface NegationProbe {
  readonly phrases: number;
  readonly positivePeak: Estimate;
  readonly negativePeak: Estimate;
  /** Peak of the phrase minus peak of the denial, paired: should be clearly above 0. */
  readonly peakDrop: Estimate;
  readonly meanDrop: Estimate;
  /** Share of phrases whose peak is higher than that of the denial; chance is what an untrained network has. */
  readonly ordered: Estimate;
  /** The same for the name of the class instead of the phrase. */
  readonly orderedByName: Estimate;
}

/** The negation test; undefined without a case. Means are over phrases. */
export function negationProbe(cases: readonly NegationCase[], resamples: ImageResamples): NegationProbe | undefined {
  if (cases.length === 0) return undefined;
  const mean = (value: (entry: NegationCase) => number) =>
    estimateMean(
      cases.map((entry) => ({ studyId: entry.studyId, value: value(entry) })),
      resamples,
    );
  return {
    phrases: cases.length,
    positivePeak: mean(({ positive }) => positive.peak),
    negativePeak: mean(({ negative }) => negative.peak),
    peakDrop: mean(({ positive, negative }) => positive.peak - negative.peak),
    meanDrop: mean(({ positive, negative }) => positive.mean - negative.mean),
    ordered: mean(({ positive, negative }) => (1 + Math.sign(positive.peak - negative.peak)) / 2),
    orderedByName: mean(({ named, negative }) => (1 + Math.sign(named.peak - negative.peak)) / 2),
  };
}

/** Peak and mean of a similarity grid. */
export function similarityLevel(grid: Grid): SimilarityLevel {
  let [peak, sum] = [Number.NEGATIVE_INFINITY, 0];
  for (const value of grid.data) {
    peak = Math.max(peak, value);
    sum += value;
  }
  return { peak, mean: sum / grid.data.length };
}
