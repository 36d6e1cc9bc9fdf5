import { phraseSimilarity } from '../autograd/ops/contrastive.ts';
import { noGrad } from '../autograd/tape.ts';
import { tensor } from '../autograd/tensor.ts';
import { preprocess } from '../data/preprocess.ts';
import { encodePhrase } from '../data/text/encode.ts';
import type { WordPieceTokenizer } from '../data/text/tokenizer.ts';
import type { Box, GrayImage } from '../data/types.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { NDArray } from '../kernels/ndarray.ts';
import type { GroundingModel } from '../models/grounding.ts';
import { stageGeometry } from '../models/resnet.ts';
import { type Localization, type Localizer, squareFrame } from './localizer.ts';
import type { Size } from './maps.ts';

/** Cells of the local grid for square inputs of `imageSize` pixels. */
export function localGridSize(model: GroundingModel, imageSize: number): Size {
  const { visual, localStage, upsample } = model.config;
  const { size } = stageGeometry(visual, localStage - 1, upsample ?? imageSize);
  return { width: size, height: size };
}

/**
 * The rectangle of `image` that the local grid covers. Strided windows are not centred on their share of the image:
 * cell 0 of ResNet-50's `layer3` looks at pixel 0, and not at pixel 7.5, the middle of the first 16.
 */
export function localFrame(model: GroundingModel, imageSize: number, image: Size): Box {
  const { visual, localStage, upsample } = model.config;
  const input = upsample ?? imageSize;
  const { size, stride, offset } = stageGeometry(visual, localStage - 1, input);
  const square = squareFrame(image);
  const scale = square.width / input;
  const start = offset + 0.5 - stride / 2;
  const side = size * stride * scale;
  return { x: square.x + start * scale, y: square.y + start * scale, width: side, height: side };
}

/** What the image tower found in one image; the regions stay on the GPU until `dispose`. */
export interface EncodedImage {
  /** `[regions, dimension]` */
  readonly regions: NDArray;
  /** `[dimension]`, of the whole image. */
  readonly global: Float32Array;
  /** The rectangle of the image that the regions cover, in pixels of the image. */
  readonly frame: Box;
  /** Frees the regions. */
  dispose(): void;
}

/** How a localizer reads images and phrases. */
export interface ModelLocalizerOptions {
  /** Side of the model's input, in pixels. */
  readonly imageSize: number;
  readonly maxTokens: number;
  /** Phrases whose embeddings are kept, those asked for first go first; 1,024 by default. */
  readonly keptPhrases?: number;
}

/** Localizes phrases with a grounding model: cosine of every region with the phrase, which is encoded alone. */
export class ModelLocalizer implements Localizer {
  readonly gridSize: Size;
  private readonly gpu: Gpu;
  private readonly model: GroundingModel;
  private readonly tokenizer: WordPieceTokenizer;
  private readonly imageSize: number;
  private readonly maxTokens: number;
  private readonly keptPhrases: number;
  private readonly embeddings = new Map<string, Float32Array>();

  /** The model's parameters must stay as they are while this localizer is used: phrase embeddings are kept. */
  constructor(
    gpu: Gpu,
    model: GroundingModel,
    tokenizer: WordPieceTokenizer,
    { imageSize, maxTokens, keptPhrases = 1024 }: ModelLocalizerOptions,
  ) {
    this.gpu = gpu;
    this.model = model;
    this.tokenizer = tokenizer;
    this.imageSize = imageSize;
    this.maxTokens = maxTokens;
    this.keptPhrases = keptPhrases;
    this.gridSize = localGridSize(model, imageSize);
  }

  async localize(image: GrayImage, phrases: readonly string[]): Promise<readonly Localization[]> {
    const encoded = await this.encodeImage(image);
    try {
      return await this.localizeEncoded(encoded, phrases);
    } finally {
      encoded.dispose();
    }
  }

  /** Runs the image tower once, for any number of `localizeEncoded` afterwards. The caller disposes the result. */
  async encodeImage(image: GrayImage): Promise<EncodedImage> {
    const { gpu, model, imageSize } = this;
    const pixels = preprocess(image, imageSize).image.data.map((value) => (value - 0.5) / 0.5);
    const { regions, global } = this.evaluating(() =>
      gpu.scope(() =>
        noGrad(() => {
          const { regions, global } = model.encodeImage(tensor(gpu, pixels, [1, imageSize, imageSize, 1]));
          const [, count = 0, dimension = 0] = regions.shape;
          return { regions: regions.array.view([count, dimension], [dimension, 1]), global };
        }),
      ),
    );
    const whole = (await global.data()) as Float32Array;
    global.dispose();
    return { regions, global: whole, frame: localFrame(model, imageSize, image), dispose: () => regions.dispose() };
  }

  /** `localize` without the image tower: only phrases that were not asked lately are encoded. */
  async localizeEncoded(image: EncodedImage, phrases: readonly string[]): Promise<readonly Localization[]> {
    const { gpu } = this;
    const { width, height } = this.gridSize;
    const results: Localization[] = [];
    for (const phrase of phrases) {
      const embedding = await this.embed(phrase);
      const cosines = gpu.scope(() =>
        noGrad(() => phraseSimilarity(image.regions, tensor(gpu, embedding, [embedding.length]).array)),
      );
      const grid = { width, height, data: (await cosines.read()) as Float32Array };
      cosines.dispose();
      results.push({ grid, frame: image.frame, similarity: cosine(image.global, embedding) });
    }
    return results;
  }

  /** Runs `body` with dropout off and batch norm's running statistics. */
  private evaluating<T>(body: () => T): T {
    const { model } = this;
    const wasTraining = model.training;
    model.setTraining(false);
    try {
      return body();
    } finally {
      model.setTraining(wasTraining);
    }
  }

  /** Sum of the phrase's token features, `[dimension]`. */
  private async embed(phrase: string): Promise<Float32Array> {
    const known = this.embeddings.get(phrase);
    if (known) return known;
    const { gpu, model, tokenizer } = this;
    const encoded = encodePhrase(phrase, tokenizer, { maxTokens: this.maxTokens });
    // Phrases of like lengths share kernels, which are compiled for a length.
    const length = Math.max(encoded.ids.length, Math.min(this.maxTokens, 8 * Math.ceil(encoded.ids.length / 8)));
    const padded = (values: readonly number[], filler: number) => Array.from({ length }, (_, i) => values[i] ?? filler);
    const shape = [1, length];
    const pooled = this.evaluating(() =>
      gpu.scope(() =>
        noGrad(() => {
          const ids = tensor(gpu, padded(encoded.ids, tokenizer.padId), shape, { dtype: 'i32' });
          const mask = tensor(
            gpu,
            padded(
              encoded.ids.map(() => 1),
              0,
            ),
            shape,
            { dtype: 'i32' },
          );
          const units = { ids: tensor(gpu, padded(encoded.sentenceIds, -1), shape, { dtype: 'i32' }), count: 1 };
          return model.poolUnits(model.encodeText(ids, mask), units).mean;
        }),
      ),
    );
    const values = (await pooled.data()) as Float32Array;
    pooled.dispose();
    this.embeddings.set(phrase, values);
    const [oldest] = this.embeddings.keys();
    if (this.embeddings.size > this.keptPhrases && oldest !== undefined) this.embeddings.delete(oldest);
    return values;
  }
}

function cosine(a: Float32Array, b: Float32Array): number {
  let [product, normA, normB] = [0, 0, 0];
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? 0;
    product += x * y;
    normA += x * x;
    normB += y * y;
  }
  return product / Math.max(Math.sqrt(normA * normB), 1e-8);
}
