import { type Draws, groupMeanDraws, type PhraseScore, sizeTertiles } from '../aggregate.ts';
import type { ImageResamples } from '../bootstrap.ts';
import { type PhraseFacts, phraseKey } from './facts.ts';
import { bySeen, type ConditionRuns, modelRows, type StudyRun } from './measurement.ts';
import type { Factor, FactorTrend } from './result.ts';
import { drawsOfDifference, estimateOverSeeds, spreadOf } from './spread.ts';

interface FactorDefinition {
  readonly name: string;
  readonly note: string;
  /** Groups in their order; absent: sorted by name, without a trend. */
  readonly groups?: readonly string[];
  /** Undefined: the phrase belongs to no group. */
  readonly groupOf: (row: PhraseScore, facts: PhraseFacts) => string | undefined;
}

/** Below this, a group is left out: its mean would say nothing. */
const fewestPhrases = 10;

/** IoU of the seen classes by what the phrase says and what its image shows, under the first preset. */
export function factorsOf(
  conditions: readonly ConditionRuns[],
  facts: ReadonlyMap<string, PhraseFacts>,
  resamples: ImageResamples,
): Factor[] {
  const rowsOf = (run: StudyRun) => bySeen(run, modelRows(run.result.presets[0])).seen;
  const [first] = conditions.flatMap(({ runs }) => runs);
  if (!first) return [];
  const rows = rowsOf(first);
  return definitions(rows).flatMap((definition) => {
    const groupOf = (row: PhraseScore): string | undefined => {
      const known = facts.get(phraseKey(row));
      return known && definition.groupOf(row, known);
    };
    const counts = new Map<string, number>();
    for (const row of rows) {
      const group = groupOf(row);
      if (group !== undefined) counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    const values = (definition.groups ?? [...counts.keys()].sort()).filter(
      (value) => (counts.get(value) ?? 0) >= fewestPhrases,
    );
    if (values.length < 2) return [];
    const meanIn = (value: string) => (run: StudyRun) =>
      meanOf(rowsOf(run).flatMap((row) => (groupOf(row) === value ? row.scores.iou : [])));
    const groups = values.map((value) => ({
      value,
      phrases: counts.get(value) ?? 0,
      iou: Object.fromEntries(conditions.map(({ name, runs }) => [name, spreadOf(runs.map(meanIn(value)))])),
    }));
    const [from = '', to = ''] = [values[0], values.at(-1)];
    const trend = definition.groups ? trendsOf(conditions, { rowsOf, groupOf, from, to, resamples }) : undefined;
    return [{ name: definition.name, note: definition.note, groups, ...(trend ? { trend } : {}) }];
  });
}

function definitions(rows: readonly PhraseScore[]): FactorDefinition[] {
  const { limits, labelOf } = sizeTertiles(rows.map(({ area }) => area));
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return [
    { name: 'Class', note: '', groupOf: ({ category }) => category },
    {
      name: 'Words in the phrase',
      note: 'Phrases are encoded alone, so this is the length of what the model reads here.',
      groups: ['1 or 2', '3 or 4', '5 or 6', '7 or more'],
      groupOf: (_, { words }) => (words >= 7 ? '7 or more' : words >= 5 ? '5 or 6' : words >= 3 ? '3 or 4' : '1 or 2'),
    },
    {
      name: 'The phrase says where',
      note: 'Side, zone or another place.',
      groups: ['no', 'yes'],
      groupOf: (_, { located }) => (located ? 'yes' : 'no'),
    },
    {
      name: 'Findings in the image',
      note: '',
      groups: ['1', '2', '3 or more'],
      groupOf: (_, { lesions }) => (lesions >= 3 ? '3 or more' : String(lesions)),
    },
    {
      name: 'Another finding of the same class in the image',
      note: 'The class alone does not tell the two apart; the words for the place have to.',
      groups: ['no', 'yes'],
      groupOf: (_, { hasTwin }) => (hasTwin ? 'yes' : 'no'),
    },
    {
      name: 'Negated sentences in the report',
      note:
        'The report of a test image is not read when a phrase is localized: a difference here comes from the images ' +
        'that have such reports, not from the negations.',
      groups: ['0', '1', '2', '3 or more'],
      groupOf: (_, { negations }) => (negations >= 3 ? '3 or more' : String(negations)),
    },
    {
      name: 'Size of the finding',
      note: `Thirds of the phrases: up to ${percent(limits[0])} of the image, up to ${percent(limits[1])}, and larger.`,
      groups: ['small', 'medium', 'large'],
      groupOf: ({ area }) => labelOf(area),
    },
  ];
}

interface TrendOptions {
  readonly rowsOf: (run: StudyRun) => readonly PhraseScore[];
  readonly groupOf: (row: PhraseScore) => string | undefined;
  readonly from: string;
  readonly to: string;
  readonly resamples: ImageResamples;
}

/** A trend of every condition, then of the first condition's advantage over each of the others. */
function trendsOf(conditions: readonly ConditionRuns[], options: TrendOptions): FactorTrend[] {
  const { from, to } = options;
  const measured = conditions.map(({ name, runs }) => ({
    name,
    trends: new Map(runs.map((run) => [run.seed, trendDraws(run, options)])),
  }));
  const trend = (condition: string, perSeed: readonly TrendDraws[]): FactorTrend => ({
    condition,
    from,
    to,
    difference: estimateOverSeeds(perSeed.map(({ plain }) => plain)),
    atEqualClass: estimateOverSeeds(perSeed.map(({ atEqualClass }) => atEqualClass)),
  });
  const [first, ...others] = measured;
  const advantages = others.flatMap(({ name, trends }) => {
    const perSeed = [...(first?.trends ?? [])].flatMap(([seed, ours]): TrendDraws[] => {
      const theirs = trends.get(seed);
      if (!theirs) return [];
      return [
        {
          plain: drawsOfDifference(ours.plain, theirs.plain),
          atEqualClass: drawsOfDifference(ours.atEqualClass, theirs.atEqualClass),
        },
      ];
    });
    return perSeed.length > 0 ? [trend(`${first?.name} − ${name}`, perSeed)] : [];
  });
  return [...measured.map(({ name, trends }) => trend(name, [...trends.values()])), ...advantages];
}

interface TrendDraws {
  readonly plain: Draws;
  readonly atEqualClass: Draws;
}

/** The last group minus the first in one run. */
function trendDraws(run: StudyRun, { rowsOf, groupOf, from, to, resamples }: TrendOptions): TrendDraws {
  const rows = rowsOf(run);
  const means = classMeans(rows);
  const over = (score: (row: PhraseScore) => number): Draws => {
    const drawsIn = (group: string) =>
      groupMeanDraws(
        rows.flatMap((row) => (groupOf(row) === group ? [{ studyId: row.studyId, group: '', value: score(row) }] : [])),
        resamples,
      );
    return drawsOfDifference(drawsIn(to), drawsIn(from));
  };
  return {
    plain: over((row) => row.scores.iou),
    atEqualClass: over((row) => row.scores.iou - (means.get(row.category) ?? Number.NaN)),
  };
}

function classMeans(rows: readonly PhraseScore[]): Map<string, number> {
  const names = [...new Set(rows.map(({ category }) => category))];
  return new Map(
    names.map((name) => [name, meanOf(rows.flatMap((row) => (row.category === name ? row.scores.iou : [])))]),
  );
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
