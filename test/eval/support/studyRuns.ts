import { METRICS, type MetricName, type PhraseScore } from '../../../src/eval/aggregate.ts';
import type { StudyRun } from '../../../src/eval/study/measurement.ts';
import { tabulateResult } from '../../../src/eval/tables.ts';

/** What a run measured on one phrase. */
export interface HandRow {
  readonly studyId: string;
  readonly phrase: string;
  readonly category: string;
  readonly iou: number;
  /** With the side exchanged. */
  readonly swappedIou?: number;
  readonly kind?: string;
}

function scored({ studyId, phrase, category, iou, kind }: HandRow): PhraseScore {
  const scores = Object.fromEntries(METRICS.map((name) => [name, iou])) as Record<MetricName, number>;
  const attributes: Record<string, string> = kind === undefined ? {} : { phraseKind: kind };
  return { studyId, phrase, category, attributes, area: 0.01 * phrase.length, scores };
}

/** A run whose scores are written by hand; every metric has the value of `iou`, under both presets. */
export function handRun(condition: string, seed: number, rows: readonly HandRow[], trained: string[]): StudyRun {
  const swaps = rows.flatMap(({ studyId, category, iou, swappedIou }) =>
    swappedIou === undefined ? [] : [{ studyId, category, iou, swappedIou }],
  );
  const prior = rows.map((row) => scored({ ...row, iou: 0.1 }));
  const model = rows.map(scored);
  const result = tabulateResult(
    {
      rows: [
        [model, prior],
        [model, prior],
      ],
      swaps: [swaps, swaps],
      negations: [],
      emptyGroundTruth: 0,
    },
    {
      dataset: 'by hand',
      protocol: {
        thresholds: [0.1],
        sigma: 1,
        radius: 4,
        grid: { width: 4, height: 4 },
        evaluationSide: 32,
        resamples: 200,
        seed: 0,
      },
      methods: [
        { name: 'model', description: '' },
        { name: 'constant prior', description: '' },
      ],
      presets: ['paper-minmax', 'paper-cosine'],
      bestThresholds: [[], []],
      validationPhrases: 0,
      trainedCategories: trained,
    },
  );
  const curve =
    condition === 'untrained'
      ? []
      : [
          { step: 10, globalLoss: 2.7 + condition.length / 10 },
          { step: 20, globalLoss: 2 + seed },
        ];
  return { condition, seed, result, curve };
}
