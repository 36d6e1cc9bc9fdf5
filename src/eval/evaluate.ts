import type { Dataset, GroundedPhrase } from '../data/types.ts';
import type { PhraseScore } from './aggregate.ts';
import { EVALUATION_SIDE } from './agreement.ts';
import type { LocationPrior } from './baselines.ts';
import type { Localization, Localizer } from './localizer.ts';
import { DEFAULT_SIGMA, type Grid, RESCALE_PRESETS, type RescalePreset } from './maps.ts';
import { PAPER_THRESHOLDS } from './metrics.ts';
import { attentionOf, weightsOf } from './peerPresets.ts';
import { type PeerRecorder, type PeerSource, peerRecorder } from './peerResults.ts';
import { namedFinding, negatedFinding, similarityLevel, swapSides } from './probes.ts';
import type { GroundingResult } from './result.ts';
import { chooseThreshold, iouPerCandidate, scoreMap } from './score.ts';
import { type MethodScores, type ScoredPhrases, tabulateResult } from './tables.ts';
import { type LocalizedPhrase, modelMap, phrasesOfSplit, priorMap, type WalkOptions, walkPhrases } from './walk.ts';

export interface GroundingOptions {
  readonly localizer: Localizer;
  readonly dataset: Dataset;
  /** Name of the model in tables. Default "model". */
  readonly modelName?: string;
  /** Phrases to evaluate. Default: those of the test split. */
  readonly phrases?: readonly GroundedPhrase[];
  /** Phrases that the best threshold is chosen on. Default: those of the validation split; none skips it. */
  readonly validationPhrases?: readonly GroundedPhrase[];
  /** Classes that training showed. Default: those of the training split's phrases; none means not known. */
  readonly trainedCategories?: readonly string[];
  /** Location priors beside the model (see `fixedPriors` and `fitMaskPriors`). Default none. */
  readonly priors?: readonly LocationPrior[];
  readonly presets?: readonly RescalePreset[];
  readonly thresholds?: readonly number[];
  readonly sigma?: number;
  readonly radius?: number;
  /** Longest side that masks are compared at, larger ones are reduced. Default 224. */
  readonly evaluationSide?: number;
  /** Bootstrap resamples over images and their seed. Default 1000 and 0. */
  readonly resamples?: number;
  readonly seed?: number;
  /** Measures by the peers' protocols as well (see `PEER_PRESETS`). Default false. */
  readonly peers?: boolean;
  /** Temperature of the attention over regions, for the peers that threshold an attention. Default 0.1. */
  readonly attentionTemperature?: number;
  /** Called after every image. */
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Aborts between two images; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface EvaluationProgress {
  readonly stage: 'validation' | 'test';
  readonly done: number;
  readonly total: number;
}

/**
 * Evaluates phrase grounding: every phrase is localized in its image, its map compared with its mask, beside location
 * priors that go the same way, under one or more rescaling presets; with the side-swap and the negation probe.
 *
 * @throws RangeError when there is no phrase with a non-empty mask, or when the localizer returns values that don't fit.
 */
export async function evaluateGrounding(options: GroundingOptions): Promise<GroundingResult> {
  const { dataset, localizer, priors = [], presets = RESCALE_PRESETS, thresholds = PAPER_THRESHOLDS } = options;
  const { sigma = DEFAULT_SIGMA, radius = Math.round(4 * sigma), evaluationSide = EVALUATION_SIDE } = options;
  const { resamples = 1000, seed = 0, modelName = 'model' } = options;
  const phrases = options.phrases ?? phrasesOfSplit(dataset, 'test');
  const validation = options.validationPhrases ?? phrasesOfSplit(dataset, 'validation');
  const smoothing = { sigma, radius };
  const peers = options.peers
    ? peerRecorder(peerSources(modelName, priors, options.attentionTemperature ?? 0.1))
    : undefined;
  const run: Run = {
    walk: { localizer, dataset, evaluationSide, signal: options.signal },
    presets,
    thresholds,
    mapOfPrompt: (item, prompt) => modelMap(item, smoothing, prompt),
    methods: [
      { mapOf: (item) => modelMap(item, smoothing), presets },
      // A prior has no similarity of its own whose scale could mean something, so it is stretched under every preset.
      ...priors.map((prior) => ({
        mapOf: (item: LocalizedPhrase) => priorMap(prior, item, smoothing),
        presets: presets.map(() => 'paper-minmax' as const),
      })),
    ],
    peers,
    onProgress: options.onProgress,
  };
  const bestThresholds = await chooseThresholds(run, validation);
  const scored = await scorePhrases(run, phrases, bestThresholds);
  const result = tabulateResult(scored, {
    dataset: dataset.name,
    protocol: { thresholds, sigma, radius, grid: localizer.gridSize, evaluationSide, resamples, seed },
    methods: [{ name: modelName, description: '' }, ...priors],
    presets,
    bestThresholds,
    validationPhrases: validation.length,
    trainedCategories: options.trainedCategories ?? phrasesOfSplit(dataset, 'train').map((phrase) => phrase.category),
  });
  return peers ? { ...result, peers: peers.results({ count: resamples, seed }) } : result;
}

function peerSources(model: string, priors: readonly LocationPrior[], temperature: number): PeerSource[] {
  const attention = (item: LocalizedPhrase): Localization => {
    const localization = item.localization(item.phrase.phrase);
    return { ...localization, grid: attentionOf(localization.grid, temperature) };
  };
  return [
    { name: model, isCosine: true, attentionOf: attention },
    ...priors.map((prior) => ({
      name: prior.name,
      isCosine: false,
      attentionOf: ({ phrase, image }: LocalizedPhrase): Localization => ({
        grid: weightsOf(prior.mapFor(phrase)),
        frame: { x: 0, y: 0, ...image },
      }),
    })),
  ];
}

interface Run {
  readonly walk: WalkOptions;
  readonly presets: readonly RescalePreset[];
  readonly thresholds: readonly number[];
  /** The model first, then the priors. Maps are in the frame of the mask, not rescaled. */
  readonly methods: readonly {
    readonly mapOf: (item: LocalizedPhrase) => Grid;
    /** How its maps are rescaled under each preset of the run. */
    readonly presets: readonly RescalePreset[];
  }[];
  readonly mapOfPrompt: (item: LocalizedPhrase, prompt: string) => Grid;
  readonly peers: PeerRecorder | undefined;
  readonly onProgress: GroundingOptions['onProgress'];
}

/** The threshold with the best IoU on the validation phrases, `[method][preset]`. */
async function chooseThresholds(run: Run, phrases: readonly GroundedPhrase[]): Promise<(number | undefined)[][]> {
  const curves = run.methods.map(() => run.presets.map(() => [] as { category: string; iou: number[] }[]));
  const progress = progressOf(run, 'validation', phrases);
  for await (const { localized } of walkPhrases(run.walk, phrases)) {
    for (const item of localized) {
      for (const [m, { mapOf, presets }] of run.methods.entries()) {
        const map = mapOf(item);
        run.peers?.validate(m, item, map);
        for (const [p, preset] of presets.entries()) {
          const iou = iouPerCandidate(map, item.mask, preset);
          curves[m]?.[p]?.push({ category: item.phrase.category, iou });
        }
      }
    }
    progress();
  }
  return curves.map((byPreset) => byPreset.map(chooseThreshold));
}

async function scorePhrases(
  run: Run,
  phrases: readonly GroundedPhrase[],
  bestThresholds: MethodScores<readonly (number | undefined)[]>,
): Promise<ScoredPhrases> {
  const rows = run.presets.map(() => run.methods.map(() => [] as PhraseScore[]));
  const swaps: ScoredPhrases['swaps'] = run.presets.map(() => []);
  const negations = new Map<string, ScoredPhrases['negations'][number]>();
  let emptyGroundTruth = 0;
  const progress = progressOf(run, 'test', phrases);
  const prompts = (phrase: GroundedPhrase) => [
    swapSides(phrase.phrase) ?? phrase.phrase,
    negatedFinding(phrase),
    namedFinding(phrase),
  ];
  for await (const { localized, emptyMasks } of walkPhrases(run.walk, phrases, prompts)) {
    emptyGroundTruth += emptyMasks;
    for (const item of localized) {
      const { studyId, phrase, category, attributes } = item.phrase;
      for (const [m, { mapOf, presets }] of run.methods.entries()) {
        const options = { presets, thresholds: run.thresholds, bestThresholds: bestThresholds[m] };
        const map = mapOf(item);
        run.peers?.score(m, item, map);
        const all = scoreMap(map, item.mask, options);
        for (const [p, scores] of all.entries()) {
          rows[p]?.[m]?.push({ studyId, phrase, category, attributes, area: item.area, scores });
        }
      }
      const swapped = swapSides(phrase);
      if (swapped !== undefined) {
        const all = scoreMap(run.mapOfPrompt(item, swapped), item.mask, run);
        for (const [p, { iou: swappedIou }] of all.entries()) {
          const iou = rows[p]?.[0]?.at(-1)?.scores.iou ?? Number.NaN;
          swaps[p]?.push({ studyId, category, iou, swappedIou });
        }
      }
      const key = JSON.stringify([studyId, category]);
      if (!negations.has(key)) {
        const level = (prompt: string) => similarityLevel(item.localization(prompt).grid);
        negations.set(key, {
          studyId,
          category,
          positive: level(phrase),
          negative: level(negatedFinding(item.phrase)),
          named: level(namedFinding(item.phrase)),
        });
      }
    }
    progress();
  }
  return { rows, swaps, negations: [...negations.values()], emptyGroundTruth };
}

function progressOf(run: Run, stage: EvaluationProgress['stage'], phrases: readonly GroundedPhrase[]): () => void {
  const total = new Set(phrases.map((phrase) => phrase.studyId)).size;
  let done = 0;
  return () => run.onProgress?.({ stage, done: ++done, total });
}
