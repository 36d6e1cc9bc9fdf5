import { cast } from '../autograd/ops/cast.ts';
import { div, maximum } from '../autograd/ops/elementwise.ts';
import { poolSentences } from '../autograd/ops/poolSentences.ts';
import { sum } from '../autograd/ops/reductions.ts';
import { resizeBilinear } from '../autograd/ops/resizeBilinear.ts';
import { expand, reshape } from '../autograd/ops/shape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import { Tensor as TensorClass } from '../autograd/tensor.ts';
import { ShapeError } from '../gpu/errors.ts';
import { fill } from '../kernels/fill.ts';
import { formatShape } from '../kernels/shape.ts';
import { Conv2d, Linear } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';
import type { BertConfig } from './bert.ts';
import { BertEncoder } from './bert.ts';
import type { ResNetConfig } from './resnet.ts';
import { ResNet } from './resnet.ts';

/** The two encoders of a `GroundingModel`, and the space they share. */
export interface GroundingConfig {
  readonly visual: ResNetConfig;
  /** Stage whose feature map gives the local features, 1 = `layer1`; the paper takes 3. */
  readonly localStage: number;
  readonly text: BertConfig;
  /** Width D of the common space. */
  readonly dimension: number;
  /** Side to which images are resized (bilinear, aligned corners) before the image tower; 299 in GLoRIA. */
  readonly upsample?: number | undefined;
}

/** Local and global features of images in the common space. */
export interface ImageFeatures {
  /** `[batch, regions, dimension]`, regions row by row. */
  readonly regions: Tensor;
  /** Rows and columns of the grid of regions. */
  readonly grid: readonly [height: number, width: number];
  /** `[batch, dimension]` */
  readonly global: Tensor;
}

/** What a batch of token sequences is cut into. */
export interface TextUnits {
  /** i32 `[batch, tokens]`: the unit of each token, -1 outside every unit. */
  readonly ids: Tensor;
  /** Largest number of units of a text. */
  readonly count: number;
}

/** Embeddings of text units and of whole reports. */
export interface PooledUnits {
  /** `[batch, units, dimension]`; zero where `mask` is 0. */
  readonly units: Tensor;
  /** i32 `[batch, units]` */
  readonly mask: Tensor;
  /** `[batch, dimension]`, mean over the units. */
  readonly mean: Tensor;
}

/**
 * The two towers: a ResNet whose local and global features are projected to the common space, and a BERT encoder whose
 * last four hidden states are summed per word and sentence (paper, sections 2.1 and 2.2, with the repairs of the docs).
 */
export class GroundingModel extends Module {
  readonly config: GroundingConfig;
  readonly visual: ResNet;
  readonly global_embedder: Linear;
  readonly local_embedder: Conv2d;
  readonly bert: BertEncoder;
  /** Element type of what the towers keep for the backward pass; arithmetic, parameters and features stay f32. */
  dtype: 'f32' | 'f16' = 'f32';
  /** Only where BERT's width differs from the common one. */
  readonly text_embedder: Linear | undefined;

  constructor(config: GroundingConfig) {
    super();
    const { visual, localStage, text, dimension } = config;
    if (localStage < 1 || localStage > visual.stages.length) {
      throw new Error(`The image tower has stages 1 to ${visual.stages.length}; localStage is ${localStage}.`);
    }
    this.config = config;
    this.visual = new ResNet(visual);
    this.global_embedder = new Linear(this.visual.channels(visual.stages.length - 1), dimension);
    this.local_embedder = new Conv2d(this.visual.channels(localStage - 1), dimension, 1, { bias: false });
    this.bert = new BertEncoder(text);
    this.text_embedder = text.hidden === dimension ? undefined : new Linear(text.hidden, dimension, { bias: false });
  }

  /** `[batch, height, width, 1 or inChannels]`, normalised to [-1, 1]. @throws ShapeError for other channels. */
  encodeImage(image: Tensor): ImageFeatures {
    const { inChannels } = this.config.visual;
    const [batch = 0, height = 0, width = 0, channels = 0] = image.shape;
    if (channels !== 1 && channels !== inChannels) {
      throw new ShapeError(
        `The image tower takes 1 or ${inChannels} channels, got the shape ${formatShape(image.shape)}.`,
      );
    }
    const { upsample } = this.config;
    const sized = upsample ? resizeBilinear(image, [upsample, upsample], { alignCorners: true }) : image;
    const side = upsample ? [upsample, upsample] : [height, width];
    const pixels = cast(sized, this.dtype);
    const features = this.visual.forward(
      channels === inChannels ? pixels : expand(pixels, [batch, ...side, inChannels]),
    );
    const stage = features.stages[this.config.localStage - 1];
    if (!stage) throw new Error('The local stage is missing.');
    const local = cast(this.local_embedder.forward(stage), 'f32');
    const [, rows = 0, cols = 0, dimension = 0] = local.shape;
    return {
      regions: reshape(local, [batch, rows * cols, dimension]),
      grid: [rows, cols],
      global: this.global_embedder.forward(features.global),
    };
  }

  /** Token features `[batch, tokens, dimension]` of i32 `ids` and `mask` `[batch, tokens]`. */
  encodeText(ids: Tensor, mask: Tensor): Tensor {
    const { sumLast4 } = this.bert.forward(ids, mask, undefined, this.dtype);
    return this.text_embedder?.forward(sumLast4) ?? sumLast4;
  }

  /** Sums (or, with `average`, means) of the tokens of each unit, and their mean per text. */
  poolUnits(tokens: Tensor, units: TextUnits, average = false): PooledUnits {
    const pooled = poolSentences(tokens, units.ids, units.count);
    if (!average) return { units: pooled.sentences, mask: pooled.mask, mean: pooled.report };
    const { gpu } = tokens;
    const ones = new TensorClass(fill(gpu, [...tokens.shape.slice(0, 2), 1], 1));
    const one = new TensorClass(fill(gpu, [1], 1));
    const counts = poolSentences(ones, units.ids, units.count);
    const means = div(pooled.sentences, maximum(counts.sentences, one));
    const present = div(counts.sentences, maximum(counts.sentences, one));
    return { units: means, mask: pooled.mask, mean: div(sum(means, [1]), maximum(sum(present, [1]), one)) };
  }
}
