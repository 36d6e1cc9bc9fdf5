import type { Estimate } from './aggregate.ts';
import { type ImageResamples, percentileInterval } from './bootstrap.ts';
import { bestThreshold, decide, detectionQuality, f1, type RankedCases, rankCases } from './detection.ts';
import { combine, type Match, scaleOf } from './matcher.ts';

/** How a class is asked for: several prompts of which the best counts, or the finding affirmed minus denied. */
export const ZERO_SHOT_SCHEMES = ['prompts', 'pairs'] as const;
export type ZeroShotScheme = (typeof ZERO_SHOT_SCHEMES)[number];

/** One image: which classes it has, and how it matches what each class is asked for with. */
export interface ClassifiedImage {
  readonly studyId: string;
  /** Names of the classes that the image has. */
  readonly present: ReadonlySet<string>;
  /** By class. */
  readonly matches: Readonly<Record<string, ClassMatches>>;
}

export interface ClassMatches {
  readonly prompts: readonly Match[];
  readonly pair: readonly [present: Match, absent: Match];
}

export interface ClassQuality {
  readonly positives: number;
  readonly auroc: Estimate;
  readonly averagePrecision: Estimate;
  /** At the threshold with the best F1 on the validation images; NaN without one. */
  readonly accuracy: Estimate;
  readonly f1: Estimate;
  readonly threshold?: number | undefined;
}

type Quality = 'auroc' | 'averagePrecision' | 'accuracy' | 'f1';
const QUALITIES: readonly Quality[] = ['auroc', 'averagePrecision', 'accuracy', 'f1'];

export interface ZeroShotResult {
  readonly scheme: ZeroShotScheme;
  readonly images: number;
  readonly validationImages: number;
  readonly classes: Readonly<Record<string, ClassQuality>>;
  /** Mean over the classes (without the unseen ones) for which a figure is defined. */
  readonly macro: Readonly<Record<Quality, Estimate>>;
  /** Mean share of positives: the average precision of guessing. */
  readonly chancePrecision: number;
}

/**
 * Classification without a trained classifier: a class score is the mean of global and local similarity, each
 * standardised over the validation images (over the tested ones where there are none), for the best prompt of the class
 * or for the difference of a pair.
 *
 * @param unseen Classes that are listed but not part of the means.
 */
export function measureZeroShot(
  scheme: ZeroShotScheme,
  test: readonly ClassifiedImage[],
  validation: readonly ClassifiedImage[],
  resamples: ImageResamples,
  unseen: readonly string[] = [],
): ZeroShotResult {
  const names = [...new Set(test.flatMap(({ matches }) => Object.keys(matches)))].sort();
  const imageOf = test.map(({ studyId }) => resamples.indexOf.get(studyId) ?? -1);
  const measured = names.map((name) => {
    const reference = validation.length > 0 ? validation : test;
    const scores = classScores(name, scheme, test, reference);
    const labels = test.map(({ present }) => present.has(name));
    const threshold = chooseThreshold(name, scheme, validation);
    const values = qualitiesOf(rankCases(scores, labels), threshold);
    const drawn = resamples.weights.map((weights) => values((i) => weights[imageOf[i] ?? -1] ?? 0));
    return { name, positives: labels.filter(Boolean).length, threshold, whole: values(), drawn };
  });
  const estimate = (value: number, draws: readonly number[], count: number): Estimate => ({
    value,
    ...percentileInterval(draws),
    count,
  });
  const classes = measured.map(({ name, positives, threshold, whole, drawn }): [string, ClassQuality] => {
    const of = (quality: Quality): Estimate =>
      estimate(
        whole[quality],
        drawn.map((values) => values[quality]),
        test.length,
      );
    return [
      name,
      {
        positives,
        threshold,
        auroc: of('auroc'),
        averagePrecision: of('averagePrecision'),
        accuracy: of('accuracy'),
        f1: of('f1'),
      },
    ];
  });
  const seen = measured.filter(({ name }) => !unseen.includes(name));
  const macroOf = (quality: Quality): Estimate => {
    const whole = finiteMean(seen.map((entry) => entry.whole[quality]));
    const draws = resamples.weights.map((_, k) =>
      finiteMean(seen.map(({ drawn }) => drawn[k]?.[quality] ?? Number.NaN)),
    );
    return estimate(whole, draws, test.length);
  };
  return {
    scheme,
    images: test.length,
    validationImages: validation.length,
    classes: Object.fromEntries(classes),
    macro: Object.fromEntries(QUALITIES.map((quality) => [quality, macroOf(quality)])) as ZeroShotResult['macro'],
    chancePrecision: finiteMean(seen.filter((c) => c.positives > 0).map((c) => c.positives / test.length)),
  };
}

function finiteMean(values: readonly number[]): number {
  const kept = values.filter(Number.isFinite);
  return kept.reduce((sum, value) => sum + value, 0) / kept.length;
}

/** The scores of one class for images, on the scale of the reference images. */
export function classScores(
  name: string,
  scheme: ZeroShotScheme,
  images: readonly ClassifiedImage[],
  reference: readonly ClassifiedImage[],
): number[] {
  const evidence = (image: ClassifiedImage): Match[] => {
    const found = image.matches[name];
    if (!found) throw new RangeError(`Image ${image.studyId} was not matched with the class ${name}.`);
    if (scheme === 'prompts') return [...found.prompts];
    const [present, absent] = found.pair;
    return [{ global: present.global - absent.global, local: present.local - absent.local }];
  };
  const known = reference.flatMap(evidence);
  const global = scaleOf(known.map((match) => match.global));
  const local = scaleOf(known.map((match) => match.local));
  if (!global)
    throw new RangeError(`The class ${name} has no finite similarity with any of ${reference.length} images.`);
  return images.map((image) => Math.max(...evidence(image).map((match) => combine(match, global, local))));
}

function chooseThreshold(
  name: string,
  scheme: ZeroShotScheme,
  validation: readonly ClassifiedImage[],
): number | undefined {
  if (validation.length === 0) return undefined;
  const labels = validation.map(({ present }) => present.has(name));
  return bestThreshold(rankCases(classScores(name, scheme, validation, validation), labels), f1);
}

/** All figures of a class, for any number of times that an image counts. */
function qualitiesOf(
  ranked: RankedCases,
  threshold: number | undefined,
): (weightOf?: (index: number) => number) => Record<Quality, number> {
  return (weightOf = () => 1) => {
    const { auroc, averagePrecision } = detectionQuality(ranked, weightOf);
    if (threshold === undefined) return { auroc, averagePrecision, accuracy: Number.NaN, f1: Number.NaN };
    const counts = decide(ranked.scores, ranked.positive, threshold, weightOf);
    const right = counts.truePositives + counts.trueNegatives;
    return {
      auroc,
      averagePrecision,
      accuracy: right / (right + counts.falsePositives + counts.falseNegatives),
      f1: f1(counts),
    };
  };
}
