import {
  type MetricName,
  macroDifference,
  type PhraseScore,
  sizeTertiles,
  summarize,
  summarizePhrases,
} from './aggregate.ts';
import { type ImageResamples, resampleImages } from './bootstrap.ts';
import type { RescalePreset } from './maps.ts';
import { RESEARCH_NOTICE } from './notice.ts';
import { type NegationCase, negationProbe, type SideSwapCase, sideSwapProbe } from './probes.ts';
import type { GroundingResult, MethodResult, PresetResult, Protocol, Subgroup } from './result.ts';

/** An entry per method, the model first. */
export type MethodScores<T> = readonly T[];

/** Everything that was measured phrase by phrase. */
export interface ScoredPhrases {
  /** `[preset][method]`. */
  readonly rows: readonly MethodScores<PhraseScore[]>[];
  /** `[preset]`. */
  readonly swaps: readonly (SideSwapCase & { readonly category: string })[][];
  readonly negations: readonly (NegationCase & { readonly category: string })[];
  readonly emptyGroundTruth: number;
}

export interface ResultFrame {
  readonly dataset: string;
  readonly protocol: Protocol;
  readonly methods: MethodScores<{ readonly name: string; readonly description: string }>;
  readonly presets: readonly RescalePreset[];
  /** `[method][preset]`. */
  readonly bestThresholds: MethodScores<readonly (number | undefined)[]>;
  readonly validationPhrases: number;
  /** Empty: not known. */
  readonly trainedCategories: readonly string[];
}

/** Attributes with more values than this get no sub-table. */
const MAX_SUBGROUPS = 8;

/**
 * Averages scores into tables. All means share their bootstrap resamples, so that differences are paired.
 *
 * @throws RangeError when there is no score.
 */
export function tabulateResult(scored: ScoredPhrases, frame: ResultFrame): GroundingResult {
  const evaluated = scored.rows[0]?.[0] ?? [];
  if (evaluated.length === 0) {
    throw new RangeError(
      `Nothing to evaluate in ${frame.dataset}: no phrase with a marked region was found (${scored.emptyGroundTruth} with an empty mask) for ${frame.presets.length} presets. Check the split and the presets.`,
    );
  }
  const images = evaluated.map((row) => row.studyId);
  const draws = resampleImages(images, frame.protocol.resamples, frame.protocol.seed);
  const classes: Record<string, number> = {};
  for (const { category } of evaluated) classes[category] = (classes[category] ?? 0) + 1;
  const tertiles = sizeTertiles(evaluated.map((row) => row.area));
  const unseenClasses = unseenAmong(Object.keys(classes).sort(), frame.trainedCategories);
  const isSeen = ({ category }: { readonly category: string }) => !unseenClasses.includes(category);
  const summarizeAll = (rows: readonly PhraseScore[]) => ({
    overall: summarize(rows, draws),
    subgroups: subgroupsOf(rows, draws, tertiles.labelOf),
  });

  const methodResult = (p: number, m: number): MethodResult => {
    const rows = scored.rows[p]?.[m] ?? [];
    const unseen = rows.filter((row) => !isSeen(row));
    return {
      name: frame.methods[m]?.name ?? '',
      kind: m === 0 ? 'model' : 'prior',
      description: frame.methods[m]?.description ?? '',
      bestThreshold: frame.bestThresholds[m]?.[p],
      ...summarizeAll(rows.filter(isSeen)),
      unseen: unseen.length > 0 ? summarizeAll(unseen) : undefined,
      rows,
    };
  };
  const presetResult = (preset: RescalePreset, p: number): PresetResult => {
    const [model = [], ...priors] = (scored.rows[p] ?? []).map((rows) => rows.filter(isSeen));
    return {
      preset,
      methods: frame.methods.map((_, m) => methodResult(p, m)),
      differences: priors.map((rows, i) => {
        const difference = (metric: MetricName) => macroDifference(model, rows, metric, draws);
        return { prior: frame.methods[i + 1]?.name ?? '', iou: difference('iou'), dice: difference('dice') };
      }),
      sideSwap: sideSwapProbe((scored.swaps[p] ?? []).filter(isSeen), draws),
    };
  };
  return {
    kind: 'groundray-grounding',
    notice: RESEARCH_NOTICE,
    dataset: frame.dataset,
    model: frame.methods[0]?.name ?? '',
    protocol: frame.protocol,
    counts: {
      images: draws.indexOf.size,
      phrases: evaluated.length,
      emptyGroundTruth: scored.emptyGroundTruth,
      validationPhrases: frame.validationPhrases,
      classes,
      unseenClasses,
      sizeLimits: tertiles.limits,
    },
    presets: frame.presets.map(presetResult),
    negation: negationProbe(scored.negations.filter(isSeen), draws),
  };
}

/** Classes without a training phrase; none when training is not known or showed none of them. */
function unseenAmong(categories: readonly string[], trained: readonly string[]): string[] {
  const unseen = categories.filter((category) => !trained.includes(category));
  return unseen.length === categories.length ? [] : unseen;
}

function subgroupsOf(
  rows: readonly PhraseScore[],
  resamples: ImageResamples,
  sizeOf: (area: number) => string,
): Subgroup[] {
  const attributes = [...new Set(rows.flatMap((row) => Object.keys(row.attributes)))].sort();
  const readers = [
    ...attributes.map((attribute) => ({ attribute, read: (row: PhraseScore) => row.attributes[attribute] })),
    { attribute: 'area', read: (row: PhraseScore) => sizeOf(row.area) },
  ];
  return readers.flatMap(({ attribute, read }) => {
    const values = [...new Set(rows.map((row) => read(row) ?? ''))].filter((value) => value !== '');
    if (values.length < 2 || values.length > MAX_SUBGROUPS) return [];
    return values.sort(bySizeThenName).map((value): Subgroup => {
      const members = rows.filter((row) => read(row) === value);
      return { attribute, value, phrases: members.length, summary: summarizePhrases(members, resamples) };
    });
  });
}

const SIZES = ['small', 'medium', 'large'];

function bySizeThenName(a: string, b: string): number {
  return SIZES.indexOf(a) - SIZES.indexOf(b) || a.localeCompare(b);
}
