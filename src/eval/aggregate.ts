import { type ImageResamples, percentileInterval, quantile } from './bootstrap.ts';

/**
 * Metrics of one localized phrase.
 * - `iou`, `dice`: mean over the protocol's thresholds, an empty prediction counts 0.
 * - `iouNonEmpty`, `diceNonEmpty`: the same with empty predictions left out.
 * - `iouBest`, `diceBest`: at the single threshold chosen on validation phrases.
 * - `cnr`, `cnrAbsolute`, `pointing`, `auroc`, `averagePrecision`: independent of any threshold.
 */
export const METRICS = [
  'iou',
  'dice',
  'iouNonEmpty',
  'diceNonEmpty',
  'iouBest',
  'diceBest',
  'cnr',
  'cnrAbsolute',
  'pointing',
  'auroc',
  'averagePrecision',
] as const;

export type MetricName = (typeof METRICS)[number];

/** The scores of one method on one (image, phrase). NaN: not defined for this phrase, left out of every mean. */
export interface PhraseScore {
  readonly studyId: string;
  readonly phrase: string;
  readonly category: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Share of the image that the ground truth covers. */
  readonly area: number;
  readonly scores: Readonly<Record<MetricName, number>>;
}

/** A mean with its 95 % bootstrap interval and the number of phrases behind it. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

export type Summary = Readonly<Record<MetricName, Estimate>>;

export interface GroupSummary {
  /** Mean over the classes of the mean over their phrases: the published tables. */
  readonly macro: Summary;
  /** Mean over phrases. */
  readonly micro: Summary;
  readonly classes: Readonly<Record<string, Summary>>;
}

/** Means over phrases, per class and over classes, each with a bootstrap interval over images. */
export function summarize(rows: readonly PhraseScore[], resamples: ImageResamples): GroupSummary {
  const names = [...new Set(rows.map((row) => row.category))].sort();
  const macro: Partial<Record<MetricName, Estimate>> = {};
  const micro: Partial<Record<MetricName, Estimate>> = {};
  const classes = names.map(() => ({}) as Partial<Record<MetricName, Estimate>>);
  for (const metric of METRICS) {
    const table = tabulate(rows, metric, names, resamples);
    const samples = resamples.weights.map((weights) => means(table, weights));
    const whole = means(table);
    const estimate = (value: number, drawn: number[], count: number): Estimate => ({
      value,
      ...percentileInterval(drawn),
      count,
    });
    const counts = names.map((_, c) => table.entries.filter((entry) => entry.group === c).length);
    macro[metric] = estimate(
      whole.macro,
      samples.map((sample) => sample.macro),
      table.entries.length,
    );
    micro[metric] = estimate(
      whole.micro,
      samples.map((sample) => sample.micro),
      table.entries.length,
    );
    classes.forEach((summary, c) => {
      summary[metric] = estimate(
        whole.perClass[c] ?? Number.NaN,
        samples.map((sample) => sample.perClass[c] ?? Number.NaN),
        counts[c] ?? 0,
      );
    });
  }
  return {
    macro: macro as Summary,
    micro: micro as Summary,
    classes: Object.fromEntries(names.map((name, c) => [name, classes[c] as Summary])),
  };
}

/** Macro mean of `rows` minus that of `baseline` with a paired interval: both are taken on the same resamples. */
export function macroDifference(
  rows: readonly PhraseScore[],
  baseline: readonly PhraseScore[],
  metric: MetricName,
  resamples: ImageResamples,
): Estimate {
  const names = [...new Set(rows.map((row) => row.category))].sort();
  const ours = tabulate(rows, metric, names, resamples);
  const theirs = tabulate(baseline, metric, names, resamples);
  const drawn = resamples.weights.map((weights) => means(ours, weights).macro - means(theirs, weights).macro);
  return { value: means(ours).macro - means(theirs).macro, ...percentileInterval(drawn), count: ours.entries.length };
}

interface Table {
  readonly groups: number;
  readonly entries: readonly { readonly value: number; readonly group: number; readonly image: number }[];
}

function tabulate(
  rows: readonly PhraseScore[],
  metric: MetricName,
  names: readonly string[],
  resamples: ImageResamples,
): Table {
  const groupOf = new Map(names.map((name, i) => [name, i]));
  const entries = rows
    .filter((row) => Number.isFinite(row.scores[metric]))
    .map((row) => {
      const image = resamples.indexOf.get(row.studyId);
      if (image === undefined) throw new RangeError(`Image ${row.studyId} is not among the resampled images.`);
      return { value: row.scores[metric], group: groupOf.get(row.category) ?? -1, image };
    })
    .filter((entry) => entry.group >= 0);
  return { groups: names.length, entries };
}

function means(table: Table, weights?: Uint16Array): { macro: number; micro: number; perClass: Float64Array } {
  const sums = new Float64Array(table.groups);
  const counts = new Float64Array(table.groups);
  for (const { value, group, image } of table.entries) {
    const weight = weights ? (weights[image] ?? 0) : 1;
    sums[group] = (sums[group] ?? 0) + weight * value;
    counts[group] = (counts[group] ?? 0) + weight;
  }
  const perClass = sums.map((sum, i) => sum / (counts[i] ?? 0)); // 0 / 0 is NaN: a class without a phrase.
  const present = perClass.filter((value) => !Number.isNaN(value));
  const total = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
  return { macro: total(present) / present.length, micro: total(sums) / total(counts), perClass };
}

export interface SizeTertiles {
  /** Largest area of the small and of the medium regions, as a share of the image. */
  readonly limits: readonly [number, number];
  readonly labelOf: (area: number) => 'small' | 'medium' | 'large';
}

/** Splits regions in three by area, about equally many each. */
export function sizeTertiles(areas: readonly number[]): SizeTertiles {
  const sorted = Float64Array.from(areas).sort();
  const limits = [quantile(sorted, 1 / 3), quantile(sorted, 2 / 3)] as const;
  return { limits, labelOf: (area) => (area <= limits[0] ? 'small' : area <= limits[1] ? 'medium' : 'large') };
}
