import * as z from 'zod';
import { type Estimate, estimateMean } from './aggregate.ts';
import { type ImageResamples, percentileInterval } from './bootstrap.ts';
import { bestThreshold, detectionQuality, rankCases, youden } from './detection.ts';
import type { Localization } from './localizer.ts';
import { gaussianBlur } from './maps.ts';

/**
 * What can tell whether a phrase is in an image at all, which a stretched map cannot:
 * - `global`: cosine of the whole image with the phrase;
 * - `peak`: largest value of the smoothed cosine map.
 */
export const PRESENCE_SIGNALS = ['global', 'peak'] as const;
export type PresenceSignal = (typeof PRESENCE_SIGNALS)[number];
export type PresenceSignals = Readonly<Record<PresenceSignal, number>>;

/** @param sigma Of the Gaussian, in cells of the grid. `global` is NaN where the localizer gives none. */
export function presenceSignals({ grid, similarity = Number.NaN }: Localization, sigma: number): PresenceSignals {
  let peak = Number.NEGATIVE_INFINITY;
  for (const value of gaussianBlur(grid, sigma).data) peak = Math.max(peak, value);
  return { global: similarity, peak };
}

/** A threshold between "present" and "absent", found on validation phrases; kept with the weights that it holds for. */
export const calibrationSchema = z.object({
  signal: z.enum(PRESENCE_SIGNALS),
  /** Present from this value on. */
  threshold: z.number(),
  /** Smoothing of the map that `peak` is taken from, in cells. */
  sigma: z.number(),
  /** On the validation phrases. */
  sensitivity: z.number(),
  specificity: z.number(),
  auroc: z.number(),
  phrases: z.number().int(),
  dataset: z.string(),
  /** Optimizer steps of the weights. */
  step: z.number().int().optional(),
});
export type PresenceCalibration = z.infer<typeof calibrationSchema>;

/** Key of the calibration in the metadata of weights. */
export const PRESENCE_KEY = 'presence';

/** The calibration that the metadata of weights hold; undefined where there is none, or one that cannot be read. */
export function parseCalibration(metadata: Readonly<Record<string, string>>): PresenceCalibration | undefined {
  const { [PRESENCE_KEY]: text } = metadata;
  if (text === undefined) return undefined;
  try {
    return calibrationSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export interface PresenceDecision {
  readonly present: boolean;
  readonly signal: PresenceSignal;
  readonly value: number;
  readonly threshold: number;
}

/** Undefined where the signal that was calibrated is not there. */
export function decidePresence(
  signals: PresenceSignals,
  { signal, threshold }: PresenceCalibration,
): PresenceDecision | undefined {
  const value = signals[signal];
  return Number.isFinite(value) ? { present: value >= threshold, signal, value, threshold } : undefined;
}

/** `present`, `absent`: of a class that the image does not have; `other-side`: of a class that it has on the other side only. */
export type PresenceKind = 'present' | 'absent' | 'other-side';

/** A phrase asked in an image. */
export interface PresenceCase {
  readonly studyId: string;
  readonly phrase: string;
  readonly kind: PresenceKind;
  readonly signals: PresenceSignals;
}

/** Youden's threshold on the better of the signals by AUROC; undefined unless there are phrases of both kinds. */
export function calibratePresence(
  cases: readonly PresenceCase[],
  about: { readonly sigma: number; readonly dataset: string; readonly step?: number | undefined },
): PresenceCalibration | undefined {
  const told = cases.filter(({ kind }) => kind !== 'other-side');
  const candidates = PRESENCE_SIGNALS.flatMap((signal) => {
    const known = told.filter(({ signals }) => Number.isFinite(signals[signal]));
    const ranked = rankCases(
      known.map(({ signals }) => signals[signal]),
      known.map(({ kind }) => kind === 'present'),
    );
    const threshold = bestThreshold(ranked, youden);
    return threshold === undefined ? [] : [{ signal, threshold, known, ...detectionQuality(ranked) }];
  });
  const [best] = candidates.sort((a, b) => b.auroc - a.auroc);
  if (!best) return undefined;
  const { signal, threshold, auroc, known } = best;
  const shareOver = (kind: PresenceKind): number => {
    const some = known.filter((entry) => entry.kind === kind);
    return some.filter(({ signals }) => signals[signal] >= threshold).length / some.length;
  };
  const { sigma, dataset, step } = about;
  return {
    ...{ signal, threshold, sigma, auroc, phrases: known.length, dataset },
    sensitivity: shareOver('present'),
    specificity: 1 - shareOver('absent'),
    ...(step === undefined ? {} : { step }),
  };
}

export interface PresenceResult {
  readonly calibration: PresenceCalibration;
  readonly counts: Readonly<Record<PresenceKind, number>>;
  /** Share of present phrases that are called present. */
  readonly sensitivity: Estimate;
  /** Share of absent phrases that are called absent. */
  readonly specificity: Estimate;
  /** The same for phrases whose side was exchanged; not part of the specificity. */
  readonly otherSideSpecificity: Estimate;
  readonly auroc: Estimate;
}

/** What the calibrated decision reaches on phrases that it was not chosen on. */
export function measurePresence(
  cases: readonly PresenceCase[],
  calibration: PresenceCalibration,
  resamples: ImageResamples,
): PresenceResult {
  const { signal, threshold } = calibration;
  const known = cases.filter(({ signals }) => Number.isFinite(signals[signal]));
  const share = (kind: PresenceKind, called: (value: number) => boolean): Estimate =>
    estimateMean(
      known
        .filter((entry) => entry.kind === kind)
        .map(({ studyId, signals }) => ({ studyId, value: called(signals[signal]) ? 1 : 0 })),
      resamples,
    );
  const told = known.filter(({ kind }) => kind !== 'other-side');
  const ranked = rankCases(
    told.map(({ signals }) => signals[signal]),
    told.map(({ kind }) => kind === 'present'),
  );
  const image = told.map(({ studyId }) => resamples.indexOf.get(studyId) ?? -1);
  const drawn = resamples.weights.map((weights) => detectionQuality(ranked, (i) => weights[image[i] ?? -1] ?? 0).auroc);
  const count = (kind: PresenceKind): number => known.filter((entry) => entry.kind === kind).length;
  return {
    calibration,
    counts: { present: count('present'), absent: count('absent'), 'other-side': count('other-side') },
    sensitivity: share('present', (value) => value >= threshold),
    specificity: share('absent', (value) => value < threshold),
    otherSideSpecificity: share('other-side', (value) => value < threshold),
    auroc: { value: detectionQuality(ranked).auroc, ...percentileInterval(drawn), count: told.length },
  };
}

/** A phrase to ask in an image, and whether it is there. */
export type PresenceQuestion = Omit<PresenceCase, 'signals'>;
