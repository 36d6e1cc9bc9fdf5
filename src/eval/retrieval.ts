import { type Estimate, estimateMean } from './aggregate.ts';
import { type ImageResamples, percentileInterval } from './bootstrap.ts';

/** Ranks that count as found. */
export const RECALL_AT: readonly number[] = [1, 5, 10];
/** Numbers of results whose classes are compared with those of the query. */
export const PRECISION_AT: readonly number[] = [5, 10, 100];

/** An image and its report. */
export interface RetrievalItem {
  readonly studyId: string;
  /** Equal for reports that say the same: any of them is the right answer. */
  readonly reportKey: string;
  /** Classes of the findings; undefined where they are not known. */
  readonly classes?: readonly string[] | undefined;
}

/** A figure beside what guessing reaches. */
export interface WithChance {
  readonly at: number;
  readonly estimate: Estimate;
  readonly chance: number;
}

export interface RetrievalDirection {
  readonly queries: number;
  /** Share of queries with a right answer among the first `at`. */
  readonly recall: readonly WithChance[];
  readonly medianRank: Estimate;
  readonly medianRankChance: number;
  /** Share of the first `at` results that have a class in common with the query, whose own partner is left out. */
  readonly precision: readonly WithChance[];
}

/**
 * Measures retrieval in one direction.
 *
 * The rank of a query is that of its best right answer, 1 being the first. Answers with the same similarity share the
 * mean of their ranks, so that a constant similarity ranks in the middle and not first. Two studies share a class when
 * their sets of classes overlap, or both are empty.
 *
 * @param similarity `[queries, answers]`, row by row; query i belongs to answer i.
 * @throws RangeError when the matrix does not fit the items.
 */
export function measureRetrieval(
  similarity: Float64Array,
  items: readonly RetrievalItem[],
  resamples: ImageResamples,
): RetrievalDirection {
  const count = items.length;
  if (similarity.length !== count * count) {
    throw new RangeError(`${count} items need ${count} x ${count} similarities, got ${similarity.length}.`);
  }
  const equals = new Map<string, number>();
  for (const { reportKey } of items) equals.set(reportKey, (equals.get(reportKey) ?? 0) + 1);
  const right = items.map(({ reportKey }) => equals.get(reportKey) ?? 1);
  const rows = items.map((_, i) => similarity.subarray(i * count, (i + 1) * count));
  const ranks = rows.map((row, i) => rankOfAnswer(row, i, items));
  const ofStudies = (value: (index: number) => number): Estimate =>
    estimateMean(
      items.map(({ studyId }, i) => ({ studyId, value: value(i) })),
      resamples,
    );
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    queries: count,
    recall: RECALL_AT.filter((at) => at <= count).map((at) => ({
      at,
      estimate: ofStudies((i) => ((ranks[i] ?? Number.POSITIVE_INFINITY) <= at ? 1 : 0)),
      chance: mean(right.map((answers) => chanceOfRecall(count, answers, at))),
    })),
    medianRank: estimateMedian(ranks, items, resamples),
    // The best of d right answers among n in random order is expected at (n + 1) / (d + 1).
    medianRankChance: median(right.map((answers) => (count + 1) / (answers + 1))),
    precision: items.some(({ classes }) => classes !== undefined)
      ? PRECISION_AT.filter((at) => at < count).map((at) => ({
          at,
          estimate: ofStudies((i) => precisionAt(rows[i] ?? new Float64Array(), i, items, at)),
          chance: mean(items.map((_, i) => shareRelated(i, items)).filter(Number.isFinite)),
        }))
      : [],
  };
}

/** Mean rank of the answers that are as similar as the best right one. */
function rankOfAnswer(row: Float64Array, query: number, items: readonly RetrievalItem[]): number {
  const key = items[query]?.reportKey;
  let best = Number.NEGATIVE_INFINITY;
  row.forEach((value, j) => {
    if (items[j]?.reportKey === key && value > best) best = value;
  });
  let [above, beside] = [0, 0];
  row.forEach((value, j) => {
    if (value > best) above++;
    else if (value === best && items[j]?.reportKey !== key) beside++;
  });
  return 1 + above + beside / 2;
}

/** `1 - C(n - d, k) / C(n, k)`: at least one of d right answers among k of n. */
export function chanceOfRecall(count: number, answers: number, at: number): number {
  let missed = 1;
  for (let i = 0; i < at; i++) missed *= Math.max(0, count - answers - i) / (count - i);
  return 1 - missed;
}

function related(a: readonly string[], b: readonly string[]): boolean {
  return a.length === 0 ? b.length === 0 : a.some((name) => b.includes(name));
}

/** The first `at` results without the query's own partner; those that tie at the end count by their share. */
function precisionAt(row: Float64Array, query: number, items: readonly RetrievalItem[], at: number): number {
  const wanted = items[query]?.classes;
  if (!wanted) return Number.NaN;
  const others = Array.from(row.keys()).filter((j) => j !== query && items[j]?.classes !== undefined);
  others.sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0));
  if (others.length < at) return Number.NaN;
  const last = row[others[at - 1] ?? 0] ?? Number.NaN;
  let [hits, taken, tied, tiedHits] = [0, 0, 0, 0];
  for (const j of others) {
    const hit = related(wanted, items[j]?.classes ?? []) ? 1 : 0;
    if ((row[j] ?? 0) > last) {
      taken++;
      hits += hit;
    } else if (row[j] === last) {
      tied++;
      tiedHits += hit;
    }
  }
  return (hits + ((at - taken) * tiedHits) / tied) / at;
}

function shareRelated(query: number, items: readonly RetrievalItem[]): number {
  const wanted = items[query]?.classes;
  if (!wanted) return Number.NaN;
  const others = items.filter(({ classes }, j) => j !== query && classes !== undefined);
  return others.filter(({ classes = [] }) => related(wanted, classes)).length / others.length;
}

function median(values: readonly number[]): number {
  return weightedMedian(Float64Array.from(values).sort(), () => 1);
}

/** Median of ascending values that count `weightOf` times each; the mean of the middle two where they differ. */
function weightedMedian(sorted: Float64Array, weightOf: (position: number) => number): number {
  let total = 0;
  for (let i = 0; i < sorted.length; i++) total += weightOf(i);
  let [seen, lower] = [0, Number.NaN];
  for (let i = 0; i < sorted.length; i++) {
    seen += weightOf(i);
    if (Number.isNaN(lower) && seen >= total / 2 && seen > 0) lower = sorted[i] ?? Number.NaN;
    if (seen > total / 2) return (lower + (sorted[i] ?? Number.NaN)) / 2;
  }
  return Number.NaN;
}

function estimateMedian(
  ranks: readonly number[],
  items: readonly RetrievalItem[],
  resamples: ImageResamples,
): Estimate {
  const order = Array.from(ranks.keys()).sort((a, b) => (ranks[a] ?? 0) - (ranks[b] ?? 0));
  const sorted = Float64Array.from(order, (i) => ranks[i] ?? Number.NaN);
  const image = order.map((i) => resamples.indexOf.get(items[i]?.studyId ?? '') ?? -1);
  const drawn = resamples.weights.map((weights) => weightedMedian(sorted, (k) => weights[image[k] ?? -1] ?? 0));
  return { value: weightedMedian(sorted, () => 1), ...percentileInterval(drawn), count: ranks.length };
}
