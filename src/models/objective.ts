import { globalContrast, localContrast } from '../autograd/ops/contrastive.ts';
import { add, scale } from '../autograd/ops/elementwise.ts';
import { l2Normalize } from '../autograd/ops/l2Normalize.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { GroundingModel, TextUnits } from './grounding.ts';

/** Which text units meet the image regions: the paper's, GLoRIA's, none (ConVIRT-like), means instead of sums. */
export const objectives = ['sentence-local', 'word-local', 'global', 'sentence-mean'] as const;

/** Which contrast is trained, with its temperatures. */
export interface ObjectiveConfig {
  readonly objective: (typeof objectives)[number];
  /** Temperatures of the cross entropy, of the attention over regions and of the aggregation over units. */
  readonly tau1: number;
  readonly tau2: number;
  readonly tau3: number;
  readonly attention: 'cosine' | 'dot';
  /** Attended regions are means of unit vectors, equation (4), and not of raw features. */
  readonly unitRegions: boolean;
  /** `regions`: softmax over regions (the paper); `sentences_regions`: over units first (GLoRIA's code). */
  readonly normalization: 'regions' | 'sentences_regions';
  /** `mean` takes `tau3 log len` off, so that long reports don't attract images. */
  readonly aggregation: 'sum' | 'mean';
  readonly globalWeight: number;
  readonly localWeight: number;
  /** `mask` leaves pairs with equal report text out of the negatives. */
  readonly duplicates: 'keep' | 'mask';
}

/** The defaults of the paper's form with cosines. */
export const defaultObjective: ObjectiveConfig = {
  objective: 'sentence-local',
  tau1: 0.1,
  tau2: 0.1,
  tau3: 0.2,
  attention: 'cosine',
  unitRegions: true,
  normalization: 'regions',
  aggregation: 'sum',
  globalWeight: 1,
  localWeight: 1,
  duplicates: 'keep',
};

export const cosineEps = 1e-8;

/** A batch of paired images and reports on the GPU. */
export interface PairBatch {
  /** `[batch, height, width, channels]` in [-1, 1]. */
  readonly image: Tensor;
  /** i32 `[batch, tokens]` */
  readonly ids: Tensor;
  readonly mask: Tensor;
  readonly sentences: TextUnits;
  readonly words?: TextUnits;
  /** i32 `[batch, batch]`; 1 marks pairs of different studies with equal reports (`duplicates: 'mask'`). */
  readonly duplicates?: Tensor;
}

/** Scalars; image to text and text to image. */
export interface ObjectiveLosses {
  readonly globalVt: Tensor;
  readonly globalTv: Tensor;
  readonly localVt?: Tensor;
  readonly localTv?: Tensor;
  /** Weighted sum of the parts. */
  readonly total: Tensor;
  /** Similarities `[batch, batch]` of images (rows) and reports (columns). */
  readonly globalSimilarity: Tensor;
  readonly localSimilarity?: Tensor;
}

/** What the objective compares of images. */
export interface ImageEmbeddings {
  /** `[batch, dimension]` */
  readonly global: Tensor;
  /** `[batch, regions, dimension]`; undefined for the objective `global`. */
  readonly regions: Tensor | undefined;
}

/** What the objective compares of reports. */
export interface TextEmbeddings {
  /** `[batch, dimension]` */
  readonly report: Tensor;
  /** Sentences or words, `[batch, units, dimension]`; undefined for the objective `global`. */
  readonly units: Tensor | undefined;
  /** i32 `[batch, units]`, 1 where the report has that unit. */
  readonly mask: Tensor | undefined;
}

/** Image embeddings of `image` `[batch, height, width, channels]`. */
export function encodeImages(model: GroundingModel, image: Tensor, config: ObjectiveConfig): ImageEmbeddings {
  const { global, regions } = model.encodeImage(image);
  return { global, regions: config.objective === 'global' ? undefined : regions };
}

/** Text embeddings of a batch, whose images are not looked at. */
export function encodeTexts(
  model: GroundingModel,
  batch: Omit<PairBatch, 'image'>,
  config: ObjectiveConfig,
): TextEmbeddings {
  const tokens = model.encodeText(batch.ids, batch.mask);
  const sentences = model.poolUnits(tokens, batch.sentences, config.objective === 'sentence-mean');
  const report = sentences.mean;
  if (config.objective === 'global') return { report, units: undefined, mask: undefined };
  const { units, mask } = config.objective === 'word-local' ? wordUnits(model, tokens, batch.words) : sentences;
  return { report, units, mask };
}

/** Equations (1)-(8) of the paper as repaired in the docs, on embeddings. */
export function contrast(
  images: ImageEmbeddings,
  texts: TextEmbeddings,
  config: ObjectiveConfig,
  duplicates?: Tensor,
): ObjectiveLosses {
  const { tau1, tau2, tau3, attention, normalization, aggregation } = config;
  const masked = config.duplicates === 'mask' && duplicates ? { duplicates } : {};
  const global = globalContrast(images.global, texts.report, { tau1, eps: cosineEps, ...masked });
  const globalPart = scale(add(global.lossVt, global.lossTv), config.globalWeight);
  const shared = { globalVt: global.lossVt, globalTv: global.lossTv, globalSimilarity: global.similarity };
  if (!images.regions || !texts.units || !texts.mask) return { ...shared, total: globalPart };
  const options = { tau1, tau2, tau3, attention, normalization, aggregation, eps: cosineEps, ...masked };
  const regions = config.unitRegions ? l2Normalize(images.regions, -1, cosineEps) : images.regions;
  const local = localContrast(regions, texts.units, texts.mask, options);
  return {
    ...shared,
    localVt: local.lossVt,
    localTv: local.lossTv,
    localSimilarity: local.similarity,
    total: add(globalPart, scale(add(local.lossVt, local.lossTv), config.localWeight)),
  };
}

/** The objective of a batch: both towers and the contrast between them. */
export function contrastiveObjective(
  model: GroundingModel,
  batch: PairBatch,
  config: ObjectiveConfig,
): ObjectiveLosses {
  const images = encodeImages(model, batch.image, config);
  return contrast(images, encodeTexts(model, batch, config), config, batch.duplicates);
}

function wordUnits(model: GroundingModel, tokens: Tensor, words: TextUnits | undefined) {
  if (!words) throw new Error("The objective 'word-local' needs the word of each token in the batch.");
  return model.poolUnits(tokens, words);
}
