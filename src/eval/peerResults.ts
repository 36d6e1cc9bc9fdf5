import { type Estimate, estimateMean, type PhraseScore } from './aggregate.ts';
import { type ImageResamples, resampleImages } from './bootstrap.ts';
import type { Localization } from './localizer.ts';
import { type Grid, rescale } from './maps.ts';
import { pointingGame } from './metrics.ts';
import {
  biovilScores,
  chexlocalizeCandidates,
  chexlocalizeScores,
  chexlocalizeThresholds,
  medklipScores,
  PEER_METRICS,
  PEER_PRESETS,
  type PeerMetric,
  type PeerPreset,
  type PeerScores,
} from './peerPresets.ts';
import type { LocalizedPhrase } from './walk.ts';

/** The scores of one phrase by one peer's protocol. */
export interface PeerRow extends Pick<PhraseScore, 'studyId' | 'category'> {
  readonly scores: PeerScores;
}

export interface PeerResult {
  readonly preset: PeerPreset;
  /** The model first. */
  readonly methods: readonly PeerMethod[];
}

export interface PeerMethod {
  readonly name: string;
  /** Mean over phrases (as MedKLIP reports), and over classes (as BioViL and CheXlocalize do). */
  readonly micro: Readonly<Record<PeerMetric, Estimate>>;
  readonly macro: Readonly<Record<PeerMetric, number>>;
  readonly classes: Readonly<Record<string, PeerScores>>;
}

/** Means of one method's phrases, with intervals over images. */
export function summarizePeer(name: string, rows: readonly PeerRow[], resamples: ImageResamples): PeerMethod {
  const each = <T>(value: (metric: PeerMetric) => T): Record<PeerMetric, T> =>
    Object.fromEntries(PEER_METRICS.map((metric) => [metric, value(metric)])) as Record<PeerMetric, T>;
  const categories = [...new Set(rows.map(({ category }) => category))].sort();
  const meanOf = (values: readonly number[]): number => {
    const kept = values.filter(Number.isFinite);
    return kept.reduce((sum, value) => sum + value, 0) / kept.length;
  };
  const classes = categories.map((category): [string, PeerScores] => {
    const members = rows.filter((row) => row.category === category);
    return [category, each((metric) => meanOf(members.map(({ scores }) => scores[metric])))];
  });
  return {
    name,
    micro: each((metric) =>
      estimateMean(
        rows.map(({ studyId, scores }) => ({ studyId, value: scores[metric] })),
        resamples,
      ),
    ),
    macro: each((metric) => meanOf(classes.map(([, scores]) => scores[metric]))),
    classes: Object.fromEntries(classes),
  };
}

/** A method as the peers' protocols see it. */
export interface PeerSource {
  readonly name: string;
  /** Its cells as attention that sums to 1. */
  readonly attentionOf: (item: LocalizedPhrase) => Localization;
  /** Whether its map is a cosine, whose scale means something; others are stretched to [-1, 1] for `biovil`. */
  readonly isCosine: boolean;
}

/** Measures maps by all the peers' protocols while an evaluation walks over phrases. */
export interface PeerRecorder {
  /** Takes the map of method `m` for a validation phrase into account. */
  validate(m: number, item: LocalizedPhrase, map: Grid): void;
  /** Scores the map of method `m`; all validation phrases come first. */
  score(m: number, item: LocalizedPhrase, map: Grid): void;
  results(resamples: { readonly count: number; readonly seed: number }): PeerResult[];
}

export function peerRecorder(methods: readonly PeerSource[]): PeerRecorder {
  const candidates = methods.map((): { category: string; iou: number[] }[] => []);
  const rows = methods.map((): Record<PeerPreset, PeerRow[]> => ({ biovil: [], medklip: [], chexlocalize: [] }));
  const chosen = methods.map((): Map<string, number> | undefined => undefined);
  return {
    validate(m, { phrase: { category }, mask }, map) {
      candidates[m]?.push({ category, iou: chexlocalizeCandidates(map, mask) });
    },
    score(m, item, map) {
      const [method, into] = [methods[m], rows[m]];
      if (!method || !into) throw new RangeError(`There is no method ${m}.`);
      const { image, mask } = item;
      const { studyId, category } = item.phrase;
      const thresholds = chosen[m] ?? chexlocalizeThresholds(candidates[m] ?? []);
      chosen[m] = thresholds;
      const cosines = method.isCosine ? map : rescale(map, 'paper-minmax');
      const hit = pointingGame(map, mask);
      into.biovil.push({ studyId, category, scores: biovilScores(cosines, mask) });
      into.medklip.push({ studyId, category, scores: medklipScores(method.attentionOf(item), image, mask) });
      const scores = chexlocalizeScores(map, mask, thresholds.get(category), hit);
      into.chexlocalize.push({ studyId, category, scores });
    },
    results({ count, seed }) {
      // All methods were asked for the same phrases: the same draws make them comparable.
      const images = rows[0]?.biovil.map(({ studyId }) => studyId) ?? [];
      const draws = resampleImages(images, count, seed);
      return PEER_PRESETS.map((preset) => ({
        preset,
        methods: methods.map(({ name }, m) => summarizePeer(name, rows[m]?.[preset] ?? [], draws)),
      }));
    },
  };
}
