import type { Estimate, MetricName } from '../aggregate.ts';
import type { RescalePreset } from '../maps.ts';
import type { Protocol } from '../result.ts';
import type { CurvePoint } from './measurement.ts';
import type { Spread } from './spread.ts';

/** What a study shows of maps; all but `iou` and `dice` are the same under every preset. */
export const studyMetrics = ['iou', 'dice', 'cnr', 'pointing'] as const satisfies readonly MetricName[];
export type StudyMetric = (typeof studyMetrics)[number];

/** Several objectives, each trained from several seeds, measured on the same phrases. Plain data. */
export interface StudyResult {
  readonly kind: 'groundray-study';
  readonly notice: string;
  readonly dataset: string;
  readonly seeds: readonly number[];
  readonly counts: { readonly images: number; readonly phrases: number; readonly unseenPhrases: number };
  readonly unseenClasses: readonly string[];
  /** How the maps of all runs were made and compared. */
  readonly protocol: Protocol;
  readonly conditions: readonly ConditionResult[];
  /** Best location prior that reads no annotation of the phrase, per preset and part. */
  readonly priors: readonly {
    readonly preset: RescalePreset;
    readonly classes: 'seen' | 'unseen';
    readonly name: string;
    readonly iou: number;
  }[];
  readonly differences: readonly PairDifference[];
  readonly factors: readonly Factor[];
}

export interface ConditionResult {
  readonly name: string;
  /** Seeds whose run is finished. */
  readonly seeds: readonly number[];
  readonly presets: readonly {
    readonly preset: RescalePreset;
    /** Means over classes. */
    readonly seen: MetricSpreads;
    /** Over the classes kept out of training; undefined without one. */
    readonly unseen?: MetricSpreads | undefined;
    /** The same by the kind of phrase, where there are several. */
    readonly unseenByKind: readonly {
      readonly kind: string;
      readonly phrases: number;
      readonly metrics: MetricSpreads;
    }[];
    readonly sideSwap?: SideSwapSpread | undefined;
  }[];
  /** Share of denied findings that are less similar than the phrase, and than the name of their class alone. */
  readonly negation?: { readonly ordered: Spread; readonly orderedByName: Spread } | undefined;
  /** Global part of the validation loss at the end of training (see `CurvePoint`). */
  readonly globalLoss?: Spread | undefined;
  readonly curves: readonly { readonly seed: number; readonly points: readonly CurvePoint[] }[];
}

export type MetricSpreads = Readonly<Record<StudyMetric, Spread>>;

export interface SideSwapSpread {
  readonly phrases: number;
  readonly iou: Spread;
  readonly drop: Spread;
  /** Share of the IoU that is lost. */
  readonly relativeDrop: Spread;
}

/** One condition minus another over the seeds that both have, on the same phrases. */
export interface PairDifference {
  readonly preset: RescalePreset;
  readonly minuend: string;
  readonly subtrahend: string;
  readonly seeds: readonly number[];
  readonly measures: readonly DifferenceOfMeasure[];
}

export interface DifferenceOfMeasure {
  readonly measure: string;
  readonly difference: Estimate;
  /** One per seed. */
  readonly perSeed: readonly number[];
}

/** IoU under the first preset by a property of the phrase or its image; classes that training showed. */
export interface Factor {
  readonly name: string;
  readonly note: string;
  readonly groups: readonly {
    readonly value: string;
    readonly phrases: number;
    /** By condition; means over phrases. */
    readonly iou: Readonly<Record<string, Spread>>;
  }[];
  /** The last group minus the first, as it stands and at equal class; undefined where groups have no order. */
  readonly trend?: readonly FactorTrend[] | undefined;
}

export interface FactorTrend {
  /** A condition, or the first one's advantage over another: `a − b`. */
  readonly condition: string;
  readonly from: string;
  readonly to: string;
  readonly difference: Estimate;
  /** With the mean of each phrase's class taken off first. */
  readonly atEqualClass: Estimate;
}
