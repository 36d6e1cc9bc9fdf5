import { cosineSimilarity } from '../autograd/ops/cosine.ts';
import { scale } from '../autograd/ops/elementwise.ts';
import { l2Normalize } from '../autograd/ops/l2Normalize.ts';
import { matmul } from '../autograd/ops/matmul.ts';
import { reshape } from '../autograd/ops/shape.ts';
import { softmax } from '../autograd/ops/softmax.ts';
import { noGrad } from '../autograd/tape.ts';
import { tensor } from '../autograd/tensor.ts';
import { preprocess } from '../data/preprocess.ts';
import { type EncodedText, encodePhrase, encodeReport } from '../data/text/encode.ts';
import type { SplitterName } from '../data/text/sentences.ts';
import type { WordPieceTokenizer } from '../data/text/tokenizer.ts';
import type { GrayImage } from '../data/types.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { GroundingModel } from '../models/grounding.ts';
import { cosineEps, encodeImages, encodeTexts, type ObjectiveConfig } from '../models/objective.ts';
import type { Match, Matcher, TextKind } from './matcher.ts';

export interface ModelMatcherOptions {
  readonly imageSize: number;
  readonly maxTokens: number;
  readonly maxSentences?: number | undefined;
  readonly splitter: SplitterName;
  /** What the model was trained with: it decides on the text units and the temperatures. */
  readonly objective: ObjectiveConfig;
}

/** Features of a list of texts on the host. */
interface EncodedTexts {
  /** `[texts, dimension]` */
  readonly whole: Float32Array;
  /** `[units of all texts, dimension]`; empty for a model without local contrast. */
  readonly units: Float32Array;
  /** Position of each text's first unit in `units`, and the end of the last one. */
  readonly firstUnit: readonly number[];
  readonly dimension: number;
}

/**
 * Matches images and texts as the objective of the training does, one image with all texts at a time. Units attend to
 * regions by cosine (equations 3 and 4) and are pooled with `tau3 log len` taken off, so that a report is not favoured
 * for its length.
 */
export class ModelMatcher implements Matcher {
  private readonly gpu: Gpu;
  private readonly model: GroundingModel;
  private readonly tokenizer: WordPieceTokenizer;
  private readonly options: ModelMatcherOptions;
  private readonly known = new WeakMap<readonly string[], Promise<EncodedTexts>>();

  /** The model's parameters must stay as they are while this matcher is used: text features are kept. */
  constructor(gpu: Gpu, model: GroundingModel, tokenizer: WordPieceTokenizer, options: ModelMatcherOptions) {
    this.gpu = gpu;
    this.model = model;
    this.tokenizer = tokenizer;
    this.options = options;
  }

  async match(image: GrayImage, texts: readonly string[], kind: TextKind): Promise<readonly Match[]> {
    if (texts.length === 0) return [];
    const wasTraining = this.model.training;
    this.model.setTraining(false);
    try {
      const encoding = this.known.get(texts) ?? this.encode(texts, kind);
      this.known.set(texts, encoding);
      return await this.compare(image, await encoding);
    } finally {
      this.model.setTraining(wasTraining);
    }
  }

  private async compare(image: GrayImage, texts: EncodedTexts): Promise<Match[]> {
    const { gpu, model } = this;
    const { imageSize, objective } = this.options;
    const { tau2, tau3 } = objective;
    const { dimension, firstUnit } = texts;
    const pixels = preprocess(image, imageSize).image.data.map((value) => (value - 0.5) / 0.5);
    const count = firstUnit.length - 1;
    const [globals, cosines] = gpu.scope(() =>
      noGrad(() => {
        const features = encodeImages(model, tensor(gpu, pixels, [1, imageSize, imageSize, 1]), objective);
        const whole = tensor(gpu, texts.whole, [count, dimension]);
        const global = cosineSimilarity(whole, features.global, cosineEps);
        if (!features.regions || texts.units.length === 0) return [global, undefined] as const;
        const units = l2Normalize(tensor(gpu, texts.units, [firstUnit[count] ?? 0, dimension]), -1, cosineEps);
        const [, regionCount = 0] = features.regions.shape;
        const raw = reshape(features.regions, [regionCount, dimension]);
        const regions = l2Normalize(raw, -1, cosineEps);
        const attention = softmax(scale(matmul(units, regions, { transposeB: true }), 1 / tau2));
        const attended = matmul(attention, objective.unitRegions ? regions : raw);
        return [global, cosineSimilarity(attended, units, cosineEps)] as const;
      }),
    );
    const global = await globals.data();
    const cosine = await cosines?.data();
    globals.dispose();
    cosines?.dispose();
    return Array.from({ length: count }, (_, i) => ({
      global: global[i] ?? Number.NaN,
      local: cosine ? softMean(cosine.slice(firstUnit[i], firstUnit[i + 1]), tau3) : Number.NaN,
    }));
  }

  private async encode(texts: readonly string[], kind: TextKind): Promise<EncodedTexts> {
    const { gpu, model } = this;
    const { objective } = this.options;
    const whole: Float32Array[] = [];
    const units: Float32Array[] = [];
    const firstUnit = [0];
    for (const text of texts) {
      const encoded = this.tokens(text, kind);
      const shape = [1, encoded.ids.length];
      const indices = (values: ArrayLike<number>) => tensor(gpu, Int32Array.from(values), shape, { dtype: 'i32' });
      const features = gpu.scope(() =>
        noGrad(() => {
          const { report, units: found } = encodeTexts(
            model,
            {
              ids: indices(encoded.ids),
              mask: indices(encoded.ids.map(() => 1)),
              sentences: { ids: indices(encoded.sentenceIds), count: encoded.sentences.length },
              words: { ids: indices(encoded.wordIds), count: encoded.words },
            },
            objective,
          );
          return [report, found] as const;
        }),
      );
      const [report, found] = features;
      whole.push(Float32Array.from(await report.data()));
      report.dispose();
      if (!found) continue;
      units.push(Float32Array.from(await found.data()));
      firstUnit.push((firstUnit.at(-1) ?? 0) + (found.shape[1] ?? 0));
      found.dispose();
    }
    const dimension = whole[0]?.length ?? 0;
    // Without units each text still has a place in the list.
    const ends = units.length > 0 ? firstUnit : [0, ...texts.map(() => 0)];
    return { whole: concatenate(whole), units: concatenate(units), firstUnit: ends, dimension };
  }

  private tokens(text: string, kind: TextKind): EncodedText {
    const { maxTokens, maxSentences, splitter } = this.options;
    const limits = { maxTokens, splitter, ...(maxSentences === undefined ? {} : { maxSentences }) };
    return kind === 'phrase' ? encodePhrase(text, this.tokenizer, limits) : encodeReport(text, this.tokenizer, limits);
  }
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** `tau (log sum exp(r / tau) - log count)`, equation (5) with the length taken off. */
export function softMean(values: ArrayLike<number>, tau: number): number {
  const list = Array.from(values);
  const largest = Math.max(...list);
  const sum = list.reduce((total, value) => total + Math.exp((value - largest) / tau), 0);
  return largest + tau * Math.log(sum / list.length);
}
