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
  const names = classNames(rows);
  const macro = {} as Record<MetricName, Estimate>;
  const micro = {} as Record<MetricName, Estimate>;
  const classes = names.map(() => ({}) as Record<MetricName, Estimate>);
  for (const metric of METRICS) {
    const table = tabulate(rows, metric, names, resamples);
    const whole = means(table);
    const draws = resamples.weights.length;
    const macroDrawn = new Float64Array(draws);
    const microDrawn = new Float64Array(draws);
    const classDrawn = names.map(() => new Float64Array(draws));
    for (const [k, weights] of resamples.weights.entries()) {
      const drawn = means(table, weights);
      macroDrawn[k] = drawn.macro;
      microDrawn[k] = drawn.micro;
      for (const [c, values] of classDrawn.entries()) values[k] = drawn.perClass[c] ?? Number.NaN;
    }
    const count = table.values.length;
    macro[metric] = { value: whole.macro, ...percentileInterval(macroDrawn), count };
    micro[metric] = { value: whole.micro, ...percentileInterval(microDrawn), count };
    for (const [c, summary] of classes.entries()) {
      summary[metric] = {
        value: whole.perClass[c] ?? Number.NaN,
        ...percentileInterval(classDrawn[c] ?? []),
        count: table.groups.filter((group) => group === c).length,
      };
    }
  }
  return { macro, micro, classes: Object.fromEntries(names.map((name, c) => [name, classes[c] as Summary])) };
}

/** Means over phrases alone, with intervals. */
export function summarizePhrases(rows: readonly PhraseScore[], resamples: ImageResamples): Summary {
  const summary = {} as Record<MetricName, Estimate>;
  for (const metric of METRICS) {
    const entries = rows.map((row) => ({ studyId: row.studyId, value: row.scores[metric] }));
    summary[metric] = estimateMean(entries, resamples);
  }
  return summary;
}

/** Macro mean of `rows` minus that of `baseline` with a paired interval: both are taken on the same resamples. */
export function macroDifference(
  rows: readonly PhraseScore[],
  baseline: readonly PhraseScore[],
  metric: MetricName,
  resamples: ImageResamples,
): Estimate {
  const names = classNames(rows);
  const ours = tabulate(rows, metric, names, resamples);
  const theirs = tabulate(baseline, metric, names, resamples);
  const drawn = resamples.weights.map((weights) => means(ours, weights).macro - means(theirs, weights).macro);
  return { value: means(ours).macro - means(theirs).macro, ...percentileInterval(drawn), count: ours.values.length };
}

/** One number of one phrase; means are taken per group first. NaN is left out. */
export interface ScoredEntry {
  readonly studyId: string;
  readonly group: string;
  readonly value: number;
}

/** A mean over groups and the same on every resample of the images. */
export interface Draws {
  readonly value: number;
  readonly drawn: Float64Array;
}

/** Mean over the groups of the mean over their entries, with its bootstrap draws. */
export function groupMeanDraws(entries: readonly ScoredEntry[], resamples: ImageResamples): Draws {
  const kept = entries.filter(({ value }) => Number.isFinite(value));
  const names = [...new Set(kept.map(({ group }) => group))];
  const groupOf = new Map(names.map((name, i) => [name, i]));
  const table: Table = {
    classes: names.length,
    values: Float64Array.from(kept, ({ value }) => value),
    groups: Int32Array.from(kept, ({ group }) => groupOf.get(group) ?? 0),
    images: Int32Array.from(kept, ({ studyId }) => imageIndex(studyId, resamples)),
  };
  return {
    value: means(table).macro,
    drawn: Float64Array.from(resamples.weights, (weights) => means(table, weights).macro),
  };
}

/** Mean of one number per phrase with a bootstrap interval over images; values that are not finite are left out. */
export function estimateMean(
  entries: readonly { readonly studyId: string; readonly value: number }[],
  resamples: ImageResamples,
): Estimate {
  const kept = entries.filter(({ value }) => Number.isFinite(value));
  const images = Int32Array.from(kept, ({ studyId }) => imageIndex(studyId, resamples));
  const table: Table = {
    classes: 1,
    values: Float64Array.from(kept, ({ value }) => value),
    groups: new Int32Array(kept.length),
    images,
  };
  const drawn = resamples.weights.map((weights) => means(table, weights).micro);
  return { value: means(table).micro, ...percentileInterval(drawn), count: kept.length };
}

/** One metric of many phrases as flat arrays: a thousand resamples walk over them. */
interface Table {
  readonly classes: number;
  readonly values: Float64Array;
  readonly groups: Int32Array;
  readonly images: Int32Array;
}

function tabulate(
  rows: readonly PhraseScore[],
  metric: MetricName,
  names: readonly string[],
  resamples: ImageResamples,
): Table {
  const groupOf = new Map(names.map((name, i) => [name, i]));
  const kept = rows.filter((row) => Number.isFinite(row.scores[metric]) && groupOf.has(row.category));
  return {
    classes: names.length,
    values: Float64Array.from(kept, (row) => row.scores[metric]),
    groups: Int32Array.from(kept, (row) => groupOf.get(row.category) ?? 0),
    images: Int32Array.from(kept, (row) => imageIndex(row.studyId, resamples)),
  };
}

function classNames(rows: readonly PhraseScore[]): string[] {
  return [...new Set(rows.map((row) => row.category))].sort();
}

function imageIndex(studyId: string, resamples: ImageResamples): number {
  const index = resamples.indexOf.get(studyId);
  if (index === undefined) throw new RangeError(`Image ${studyId} is not among the resampled images.`);
  return index;
}

function means(table: Table, weights?: Uint16Array): { macro: number; micro: number; perClass: Float64Array } {
  const perClass = new Float64Array(table.classes);
  const counts = new Float64Array(table.classes);
  for (let i = 0; i < table.values.length; i++) {
    const group = table.groups[i] ?? 0;
    const weight = weights ? (weights[table.images[i] ?? 0] ?? 0) : 1;
    perClass[group] = (perClass[group] ?? 0) + weight * (table.values[i] ?? 0);
    counts[group] = (counts[group] ?? 0) + weight;
  }
  let [sum, count, macro, present] = [0, 0, 0, 0];
  for (let group = 0; group < table.classes; group++) {
    const weight = counts[group] ?? 0;
    sum += perClass[group] ?? 0;
    count += weight;
    perClass[group] = (perClass[group] ?? 0) / weight; // 0 / 0 is NaN: a class of which nothing was drawn.
    if (weight === 0) continue;
    macro += perClass[group] ?? 0;
    present++;
  }
  return { macro: macro / present, micro: sum / count, perClass };
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
