import { normalizeReport } from '../data/text/encode.ts';
import type { Dataset, GroundedPhrase } from '../data/types.ts';
import { resampleImages } from './bootstrap.ts';
import type { Localizer } from './localizer.ts';
import { type Match, type Matcher, scaleOf, standardise } from './matcher.ts';
import {
  calibratePresence,
  measurePresence,
  type PresenceCalibration,
  type PresenceCase,
  type PresenceQuestion,
  type PresenceResult,
  presenceSignals,
} from './presence.ts';
import { presenceQuestions } from './presenceQuestions.ts';
import { promptsOf } from './prompts.ts';
import { measureRetrieval, type RetrievalDirection, type RetrievalItem } from './retrieval.ts';
import { type ClassifiedImage, measureZeroShot, ZERO_SHOT_SCHEMES, type ZeroShotResult } from './zeroShot.ts';

/** Which similarity the answers are ranked by; `both` is the mean of the two after standardising. */
export type RetrievalSimilarity = 'global' | 'local' | 'both';

export interface RetrievalResult {
  readonly similarity: RetrievalSimilarity;
  readonly imageToReport: RetrievalDirection;
  readonly reportToImage: RetrievalDirection;
}

/** What a model knows of whole images and texts. Plain data. */
export interface MatchingResult {
  /** Empty without images whose classes are known. */
  readonly zeroShot: readonly ZeroShotResult[];
  /** Empty with less than two reports. */
  readonly retrieval: readonly RetrievalResult[];
  readonly retrievalPairs: number;
  readonly distinctReports: number;
  /** Undefined where no threshold could be calibrated. */
  readonly presence?: PresenceResult | undefined;
  readonly unseenClasses: readonly string[];
  /** Whether a class without a phrase is known to be absent, or only taken to be. */
  readonly labelsAreComplete: boolean;
}

export interface MatchingOptions {
  readonly dataset: Dataset;
  readonly matcher: Matcher;
  readonly localizer: Localizer;
  /** Images whose classes are known, to measure on and (no image in common) to choose thresholds on. */
  readonly labelled: readonly string[];
  readonly validation: readonly string[];
  /** Studies whose images and reports are matched with each other. */
  readonly reported: readonly string[];
  /** Classes that training never showed: listed, but not part of means and not asked for in the presence test. */
  readonly unseenClasses?: readonly string[];
  /** Taken instead of one chosen on the validation images. */
  readonly calibration?: PresenceCalibration | undefined;
  /** Steps that the model was trained for, kept with the calibration. */
  readonly step?: number | undefined;
  /** Smoothing of maps, in cells. */
  readonly sigma: number;
  readonly resamples?: number;
  readonly seed?: number;
  /** Called after every image. */
  readonly onProgress?: (stage: 'validation' | 'test') => void;
  readonly signal?: AbortSignal | undefined;
}

/** Number of images that `evaluateMatching` looks at. */
export function countMatched(options: Pick<MatchingOptions, 'labelled' | 'validation' | 'reported'>): number {
  return new Set([...options.labelled, ...options.reported]).size + options.validation.length;
}

/** Measures zero-shot classification, retrieval both ways and the decision between present and absent. */
export async function evaluateMatching(options: MatchingOptions): Promise<MatchingResult> {
  const { dataset, labelled, validation, unseenClasses = [], resamples = 1000, seed = 0 } = options;
  const tested = [...new Set([...labelled, ...options.reported])];
  const reports = reportsOf(dataset, options.reported);
  const phrasesIn = (ids: readonly string[]): GroundedPhrase[] => {
    const wanted = new Set(ids);
    return dataset.phrases.filter(({ studyId }) => wanted.has(studyId));
  };
  const seen = ({ category }: GroundedPhrase): boolean => !unseenClasses.includes(category);
  const test = phrasesIn(labelled);
  const questionsOf = (ids: readonly string[]) => presenceQuestions(ids, phrasesIn(ids).filter(seen), seed);
  const run: Run = { ...options, ...promptList(test), texts: reports.map(({ report }) => report) };
  const before = await look(run, validation, questionsOf(validation), 'validation');
  const after = await look(run, tested, questionsOf(labelled), 'test');
  const draws = resampleImages(tested, resamples, seed);
  const isLabelled = new Set(labelled);
  const images = after.images.filter(({ studyId }) => isLabelled.has(studyId));
  const calibration =
    options.calibration ??
    calibratePresence(before.cases, { sigma: options.sigma, dataset: dataset.name, step: options.step });
  const items = reports.map(
    ({ id, report }): RetrievalItem => ({
      studyId: id,
      reportKey: normalizeReport(report),
      classes: isLabelled.has(id) ? classesOf(id, test) : undefined,
    }),
  );
  const measurable = images.length > 0 && test.length > 0;
  return {
    zeroShot: measurable
      ? ZERO_SHOT_SCHEMES.map((scheme) => measureZeroShot(scheme, images, before.images, draws, unseenClasses))
      : [],
    retrieval: items.length > 1 ? retrievals(after.reports, items, draws) : [],
    retrievalPairs: items.length,
    distinctReports: new Set(items.map(({ reportKey }) => reportKey)).size,
    presence: calibration && measurable ? measurePresence(after.cases, calibration, draws) : undefined,
    unseenClasses,
    labelsAreComplete: dataset.phrasesAreComplete ?? false,
  };
}

function reportsOf(dataset: Dataset, ids: readonly string[]): { readonly id: string; readonly report: string }[] {
  const byId = new Map(dataset.studies.map((study) => [study.id, study]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

function classesOf(studyId: string, phrases: readonly GroundedPhrase[]): string[] {
  return [...new Set(phrases.filter((phrase) => phrase.studyId === studyId).map(({ category }) => category))];
}

interface Prompts {
  readonly categories: readonly string[];
  /** Of all classes in turn: first the prompts, then the pair. */
  readonly prompts: readonly string[];
}

function promptList(phrases: readonly GroundedPhrase[]): Prompts {
  const categories = [...new Set(phrases.map(({ category }) => category))].sort();
  const prompts = categories.flatMap((category) => {
    const { prompts, pair } = promptsOf(category);
    return [...prompts, ...pair];
  });
  return { categories, prompts };
}

interface Run extends MatchingOptions, Prompts {
  /** Report texts that every tested image is matched with. */
  readonly texts: readonly string[];
}

interface Seen {
  readonly images: ClassifiedImage[];
  readonly cases: PresenceCase[];
  /** Matches with all reports, by study. */
  readonly reports: Map<string, readonly Match[]>;
}

/** Encodes each image and asks it everything. */
async function look(
  run: Run,
  ids: readonly string[],
  questions: ReadonlyMap<string, readonly PresenceQuestion[]>,
  stage: 'validation' | 'test',
): Promise<Seen> {
  const { dataset, matcher, localizer, sigma, signal } = run;
  const reported = new Set(stage === 'test' ? run.reported : []);
  const seen: Seen = { images: [], cases: [], reports: new Map() };
  for (const studyId of ids) {
    signal?.throwIfAborted();
    const image = await dataset.loadImage(studyId);
    const matches = await matcher.match(image, run.prompts, 'phrase');
    const present = new Set(classesOf(studyId, dataset.phrases));
    seen.images.push({ studyId, present, matches: byClass(run.categories, matches) });
    if (reported.has(studyId)) seen.reports.set(studyId, await matcher.match(image, run.texts, 'report'));
    const asked = questions.get(studyId) ?? [];
    if (asked.length > 0) {
      const found = await localizer.localize(
        image,
        asked.map(({ phrase }) => phrase),
      );
      for (const [i, localization] of found.entries()) {
        const question = asked[i];
        if (question) seen.cases.push({ ...question, signals: presenceSignals(localization, sigma) });
      }
    }
    run.onProgress?.(stage);
  }
  return seen;
}

function byClass(categories: readonly string[], matches: readonly Match[]): ClassifiedImage['matches'] {
  let next = 0;
  return Object.fromEntries(
    categories.map((category) => {
      const { length } = promptsOf(category).prompts;
      const prompts = matches.slice(next, next + length);
      const [present, absent] = matches.slice(next + length, next + length + 2);
      next += length + 2;
      if (!present || !absent) throw new RangeError(`The matcher returned too few results for the class ${category}.`);
      return [category, { prompts, pair: [present, absent] as const }];
    }),
  );
}

function retrievals(
  matches: ReadonlyMap<string, readonly Match[]>,
  items: readonly RetrievalItem[],
  draws: ReturnType<typeof resampleImages>,
): RetrievalResult[] {
  const count = items.length;
  const rows = items.map(({ studyId }) => matches.get(studyId) ?? []);
  const matrix = (value: (match: Match) => number): Float64Array =>
    Float64Array.from(rows.flatMap((row) => row.map(value)));
  const global = matrix((match) => match.global);
  const local = matrix((match) => match.local);
  const [globalScale, localScale] = [scaleOf(global), scaleOf(local)];
  const kinds: [RetrievalSimilarity, Float64Array][] = [['global', global]];
  if (globalScale && localScale) {
    kinds.push(['local', local]);
    const both = global.map((value, i) => standardise(value, globalScale) + standardise(local[i] ?? 0, localScale));
    kinds.push(['both', both]);
  }
  return kinds.map(([similarity, values]) => ({
    similarity,
    imageToReport: measureRetrieval(values, items, draws),
    reportToImage: measureRetrieval(
      values.map((_, i) => values[(i % count) * count + Math.floor(i / count)] ?? Number.NaN),
      items,
      draws,
    ),
  }));
}
