import type { GroupSummary } from '../aggregate.ts';
import { type ImageResamples, resampleImages } from '../bootstrap.ts';
import type { RescalePreset } from '../maps.ts';
import { RESEARCH_NOTICE } from '../notice.ts';
import type { MethodResult, PresetResult } from '../result.ts';
import { pairDifferences } from './differences.ts';
import { factorsOf } from './factors.ts';
import type { PhraseFacts } from './facts.ts';
import { bySeen, type ConditionRuns, modelRows, type StudyRun, untrainedCondition } from './measurement.ts';
import {
  type ConditionResult,
  type MetricSpreads,
  type SideSwapSpread,
  type StudyMetric,
  type StudyResult,
  studyMetrics,
} from './result.ts';
import { spreadOf } from './spread.ts';

/** Kind of a phrase of an unseen class, as the phantoms have it. */
const kindAttribute = 'phraseKind';

/**
 * Puts the finished runs of a study into tables.
 *
 * @param runs Measured on the same phrases (see `strangerAmong`), at least one.
 * @param order Names of all conditions in the order of the tables; those without a run are left out.
 * @param facts Of the phrases, by `phraseKey`.
 */
export function tabulateStudy(
  runs: readonly StudyRun[],
  order: readonly string[],
  facts: ReadonlyMap<string, PhraseFacts>,
): StudyResult {
  const [first] = runs;
  if (!first) throw new RangeError('A study without a finished run has no table.');
  const { result } = first;
  const { resamples, seed } = result.protocol;
  const draws: ImageResamples = resampleImages(
    modelRows(result.presets[0]).map(({ studyId }) => studyId),
    resamples,
    seed,
  );
  const groups = order
    .map((name) => ({ name, runs: runs.filter(({ condition }) => condition === name) }))
    .filter((group) => group.runs.length > 0);
  const unseenPhrases = bySeen(first, modelRows(result.presets[0])).unseen.length;
  return {
    kind: 'groundray-study',
    notice: RESEARCH_NOTICE,
    dataset: result.dataset,
    seeds: [...new Set(runs.map((run) => run.seed))].sort((a, b) => a - b),
    counts: { images: result.counts.images, phrases: result.counts.phrases, unseenPhrases },
    unseenClasses: result.counts.unseenClasses,
    protocol: result.protocol,
    conditions: groups.map(conditionResult),
    priors: result.presets.flatMap(bestPriors),
    differences: result.presets.flatMap(({ preset }) => pairDifferences(preset, groups, draws)),
    factors: factorsOf(
      groups.filter(({ name }) => name !== untrainedCondition),
      facts,
      draws,
    ),
  };
}

function conditionResult({ name, runs }: ConditionRuns): ConditionResult {
  const losses = runs.flatMap(({ curve }) => curve.at(-1)?.globalLoss ?? []);
  const negations = runs.flatMap(({ result }) => result.negation ?? []);
  return {
    name,
    seeds: runs.map(({ seed }) => seed),
    presets: (runs[0]?.result.presets ?? []).map(({ preset }) => {
      const results = runs.map((run) => presetOf(run, preset));
      return {
        preset,
        seen: metricSpreads((metric) => results.map((found) => modelOf(found)?.overall.macro[metric].value)),
        ...(modelOf(results[0])?.unseen
          ? {
              unseen: metricSpreads((metric) =>
                results.map((found) => modelOf(found)?.unseen?.overall.macro[metric].value),
              ),
            }
          : {}),
        unseenByKind: unseenByKind(results),
        sideSwap: sideSwapSpread(results),
      };
    }),
    ...(negations.length > 0
      ? {
          negation: {
            ordered: spreadOf(negations.map(({ ordered }) => ordered.value)),
            orderedByName: spreadOf(negations.map(({ orderedByName }) => orderedByName.value)),
          },
        }
      : {}),
    ...(losses.length > 0 ? { globalLoss: spreadOf(losses) } : {}),
    curves: runs.map(({ seed, curve }) => ({ seed, points: curve })),
  };
}

function presetOf({ result }: StudyRun, preset: RescalePreset): PresetResult | undefined {
  return result.presets.find((entry) => entry.preset === preset);
}

function modelOf(preset: PresetResult | undefined) {
  return preset?.methods.find(({ kind }) => kind === 'model');
}

function metricSpreads(read: (metric: StudyMetric) => readonly (number | undefined)[]): MetricSpreads {
  const spread = (metric: StudyMetric) => spreadOf(read(metric).map((value) => value ?? Number.NaN));
  return Object.fromEntries(studyMetrics.map((metric) => [metric, spread(metric)])) as unknown as MetricSpreads;
}

function unseenByKind(results: readonly (PresetResult | undefined)[]) {
  const subgroups = results.map((found) => modelOf(found)?.unseen?.subgroups ?? []);
  const kinds = (subgroups[0] ?? []).filter(({ attribute }) => attribute === kindAttribute);
  return kinds.map(({ value: kind, phrases }) => {
    const same = subgroups.map((list) => list.find((s) => s.attribute === kindAttribute && s.value === kind));
    return { kind, phrases, metrics: metricSpreads((metric) => same.map((found) => found?.summary[metric].value)) };
  });
}

function sideSwapSpread(results: readonly (PresetResult | undefined)[]): SideSwapSpread | undefined {
  const probes = results.flatMap((found) => found?.sideSwap ?? []);
  const [first] = probes;
  if (!first) return undefined;
  return {
    phrases: first.phrases,
    iou: spreadOf(probes.map(({ iou }) => iou.value)),
    drop: spreadOf(probes.map(({ drop }) => drop.value)),
    relativeDrop: spreadOf(probes.map(({ relativeDrop }) => relativeDrop)),
  };
}

/** The best of the priors that read no annotation of the phrase, of each part. */
function bestPriors({ preset, methods }: PresetResult): StudyResult['priors'] {
  const priors = methods.filter(({ kind, name }) => kind === 'prior' && !name.startsWith('oracle'));
  const best = (classes: 'seen' | 'unseen', read: (method: MethodResult) => GroupSummary | undefined) =>
    priors
      .flatMap((method) => {
        const iou = read(method)?.macro.iou.value;
        return iou === undefined ? [] : [{ preset, classes, name: method.name, iou }];
      })
      .sort((a, b) => b.iou - a.iou)
      .slice(0, 1);
  return [...best('seen', ({ overall }) => overall), ...best('unseen', ({ unseen }) => unseen?.overall)];
}
