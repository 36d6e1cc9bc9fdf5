import { type Draws, groupMeanDraws } from '../aggregate.ts';
import type { ImageResamples } from '../bootstrap.ts';
import type { RescalePreset } from '../maps.ts';
import { bySeen, type ConditionRuns, modelRows, type StudyRun } from './measurement.ts';
import type { PairDifference, StudyMetric } from './result.ts';
import { drawsOfDifference, estimateOverSeeds } from './spread.ts';

/** A statistic of one run on every resample of the images; undefined where the run has nothing for it. */
interface Measure {
  readonly name: string;
  readonly drawsOf: (run: StudyRun) => Draws | undefined;
}

/** Every condition minus every later one, paired by seed and phrase; pairs without a common seed are left out. */
export function pairDifferences(
  preset: RescalePreset,
  conditions: readonly ConditionRuns[],
  resamples: ImageResamples,
): PairDifference[] {
  const measures = measuresOf(preset, resamples).map(({ name, drawsOf }) => ({ name, drawsOf: remembered(drawsOf) }));
  return conditions.flatMap((minuend, i) =>
    conditions.slice(i + 1).flatMap((subtrahend): PairDifference[] => {
      const pairs = minuend.runs.flatMap((a) => {
        const b = subtrahend.runs.find(({ seed }) => seed === a.seed);
        return b ? [{ seed: a.seed, a, b }] : [];
      });
      if (pairs.length === 0) return [];
      const compared = measures.flatMap(({ name, drawsOf }) => {
        const perSeed = pairs.flatMap(({ a, b }) => {
          const [ours, theirs] = [drawsOf(a), drawsOf(b)];
          return ours && theirs ? [drawsOfDifference(ours, theirs)] : [];
        });
        if (perSeed.length < pairs.length) return [];
        return [{ measure: name, difference: estimateOverSeeds(perSeed), perSeed: perSeed.map(({ value }) => value) }];
      });
      const names = { minuend: minuend.name, subtrahend: subtrahend.name };
      return [{ preset, ...names, seeds: pairs.map(({ seed }) => seed), measures: compared }];
    }),
  );
}

function measuresOf(preset: RescalePreset, resamples: ImageResamples): Measure[] {
  const find = ({ result }: StudyRun) => result.presets.find((entry) => entry.preset === preset);
  const ofClasses = (name: string, part: 'seen' | 'unseen', metric: StudyMetric): Measure => ({
    name,
    drawsOf: (run) => {
      const rows = bySeen(run, modelRows(find(run)))[part];
      const entries = rows.map((row) => ({
        studyId: row.studyId,
        group: row.category,
        value: row.scores[metric],
      }));
      return entries.length > 0 ? groupMeanDraws(entries, resamples) : undefined;
    },
  });
  return [
    ofClasses('IoU', 'seen', 'iou'),
    ofClasses('Dice', 'seen', 'dice'),
    ofClasses('Pointing', 'seen', 'pointing'),
    ofClasses('IoU, unseen class', 'unseen', 'iou'),
    {
      name: 'Fall of IoU when sides are swapped',
      drawsOf: (run) => {
        const cases = find(run)?.sideSwap?.cases ?? [];
        const entries = cases.map((entry) => ({
          studyId: entry.studyId,
          group: '',
          value: entry.iou - entry.swappedIou,
        }));
        return entries.length > 0 ? groupMeanDraws(entries, resamples) : undefined;
      },
    },
  ];
}

/** A run takes part in several pairs, and its draws are a thousand walks over all phrases. */
function remembered<Result>(compute: (run: StudyRun) => Result): (run: StudyRun) => Result {
  const known = new Map<StudyRun, Result>();
  return (run) => {
    const found = known.get(run);
    if (found !== undefined) return found;
    const result = compute(run);
    known.set(run, result);
    return result;
  };
}
