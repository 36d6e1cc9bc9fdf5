import { add, relu, scale } from '../../autograd/ops/elementwise.ts';
import { expand, reshape, slice } from '../../autograd/ops/shape.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { ShapeError } from '../../gpu/errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { formatShape } from '../../kernels/shape.ts';
import { Linear } from '../../nn/layers.ts';
import { Module } from '../../nn/module.ts';
import { type BertConfig, BertEncoder } from '../bert.ts';
import { ResNet, type ResNetConfig } from '../resnet.ts';
import {
  bertOf,
  type LoadedSystem,
  loadPublished,
  type PublishedNames,
  type PublishedWeights,
  publishedWeights,
  resNetOf,
  shapeOf,
  type WeightFile,
} from './published.ts';
import { QueryDecoder } from './queryDecoder.ts';

/**
 * MedKLIP (Wu et al., ICCV 2023): names as in its checkpoint, where the trunk is an `nn.Sequential` over torchvision's
 * children up to `layer3` (`Sample_Zero-Shot_Grounding_RSNA/models/model_MedKLIP.py` of MediaBrain-SJTU/MedKLIP). The
 * frozen BioClinicalBERT that turns descriptions into queries is not in that checkpoint and comes as a file of its own.
 * `cl_fc` serves the training loss only.
 */
export const medKlipNames: PublishedNames = {
  system: 'MedKLIP',
  beginnings: [
    ['res_features.0.', 'trunk.conv1.'],
    ['res_features.1.', 'trunk.bn1.'],
    ['res_features.4.', 'trunk.layer1.'],
    ['res_features.5.', 'trunk.layer2.'],
    ['res_features.6.', 'trunk.layer3.'],
    ['bert.', 'bert.'],
    ['embeddings.', 'bert.embeddings.'],
    ['encoder.layer.', 'bert.encoder.layer.'],
  ],
  ignored: [/^cl_fc\./, /^(bert\.)?pooler\./],
};

export interface MedKlipConfig {
  readonly visual: ResNetConfig;
  readonly text: BertConfig;
  /** `d_model`, `H`, the width of the dense layers and `N` of the published decoder: 256, 4, 1024, 4. */
  readonly decoder: {
    readonly width: number;
    readonly heads: number;
    readonly intermediate: number;
    readonly layers: number;
  };
  /** States that the classifier tells apart: absent and present. */
  readonly attributes: number;
}

/** Sizes come from the weights, depth and heads are the published ones. @throws ShapeError if these are not MedKLIP's. */
export function medKlipConfig(weights: PublishedWeights): MedKlipConfig {
  const [width = 0] = shapeOf(weights, 'res_l2.weight', 2);
  const [intermediate = 0] = shapeOf(weights, 'decoder.layers.0.linear1.weight', 2);
  const [attributes = 0] = shapeOf(weights, 'classifier.weight', 2);
  return {
    visual: resNetOf(weights, 'trunk.', [3, 4, 6]),
    text: bertOf(weights, 'bert.'),
    decoder: { width, heads: 4, intermediate, layers: 4 },
    attributes,
  };
}

export interface MedKlipOutput {
  /** Weights of every finding over the regions, `[batch, findings, regions]`: mean over heads and layers, sums to 1. */
  readonly attention: Tensor;
  /** Rows and columns of the grid of regions. */
  readonly grid: readonly [height: number, width: number];
  /** `[batch, findings, attributes]` */
  readonly logits: Tensor;
}

/** Findings as queries over the regions of an image. */
export class MedKlip extends Module {
  readonly config: MedKlipConfig;
  readonly trunk: ResNet;
  readonly res_l1: Linear;
  readonly res_l2: Linear;
  readonly disease_embedding_layer: Linear;
  readonly decoder: QueryDecoder;
  readonly classifier: Linear;
  readonly bert: BertEncoder;

  constructor(config: MedKlipConfig) {
    super();
    const { visual, text, decoder } = config;
    this.config = config;
    this.trunk = new ResNet(visual);
    const channels = this.trunk.channels(visual.stages.length - 1);
    this.res_l1 = new Linear(channels, channels);
    this.res_l2 = new Linear(channels, decoder.width);
    this.disease_embedding_layer = new Linear(text.hidden, decoder.width);
    this.decoder = new QueryDecoder(decoder);
    this.classifier = new Linear(decoder.width, config.attributes);
    this.bert = new BertEncoder(text);
  }

  /** [CLS] states `[batch, hidden]` of descriptions, i32 `ids` and `mask` `[batch, tokens]`. */
  describe(ids: Tensor, mask: Tensor): Tensor {
    const [batch = 0] = ids.shape;
    const last = this.bert.forward(ids, mask).hidden.at(-1);
    if (!last) throw new Error('BERT has no output.');
    return reshape(
      slice(last, [
        [0, batch, 1],
        [0, 1, 1],
      ]),
      [batch, -1],
    );
  }

  /**
   * @param image `[batch, height, width, 3]`, normalised like ImageNet.
   * @param descriptions `[findings, hidden]` from `describe`. All are asked at once: queries attend to each other.
   * @throws ShapeError if shapes do not fit.
   */
  forward(image: Tensor, descriptions: Tensor): MedKlipOutput {
    const [batch = 0] = image.shape;
    const { text, decoder } = this.config;
    if (image.rank !== 4 || image.shape[3] !== 3 || descriptions.shape[1] !== text.hidden) {
      throw new ShapeError(
        `MedKLIP needs images [B, H, W, 3] and descriptions [N, ${text.hidden}], got ${formatShape(image.shape)} and ${formatShape(descriptions.shape)}.`,
      );
    }
    const map = this.trunk.forward(image).stages.at(-1);
    if (!map) throw new Error('The last stage is missing.');
    const [, rows = 0, columns = 0, channels = 0] = map.shape;
    const regions = reshape(map, [batch, rows * columns, channels]);
    const memory = this.res_l2.forward(relu(this.res_l1.forward(regions)));
    const [findings = 0] = descriptions.shape;
    const asked = reshape(this.disease_embedding_layer.forward(descriptions), [1, findings, decoder.width]);
    const { output, weights } = this.decoder.forward(expand(asked, [batch, findings, decoder.width]), memory);
    const attention = scale(
      weights.reduce((sum, layer) => add(sum, layer)),
      1 / weights.length,
    );
    return { attention, grid: [rows, columns], logits: this.classifier.forward(output) };
  }
}

/** @throws ShapeError that lists what is missing, not known or of another shape. */
export async function loadMedKlip(gpu: Gpu, files: readonly WeightFile[]): Promise<LoadedSystem<MedKlip>> {
  const weights = publishedWeights(medKlipNames, files);
  return loadPublished(gpu, new MedKlip(medKlipConfig(weights)), weights);
}
