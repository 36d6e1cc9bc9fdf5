import { gelu } from '../../autograd/ops/elementwise.ts';
import { expand, reshape, slice } from '../../autograd/ops/shape.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { ShapeError } from '../../gpu/errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { formatShape } from '../../kernels/shape.ts';
import { BatchNorm2d, Conv2d, LayerNorm, Linear } from '../../nn/layers.ts';
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

/**
 * BioViL (Boecking et al., ECCV 2022): names as in `biovil_image_resnet50_proj_size_128.pt`
 * (`image/model/{model,encoder,modules}.py` of microsoft/hi-ml, hi-ml-multimodal) and in the weights of
 * `BiomedVLP-CXR-BERT-specialized` (`text/model/modelling_cxrbert.py`), which come as two files. The classifier that
 * torchvision's ResNet keeps, BERT's pooler and a head for a downstream task are not used.
 */
export const bioVilNames: PublishedNames = {
  system: 'BioViL',
  beginnings: [
    ['encoder.encoder.', 'visual.'],
    ['projector.model.', 'projector.'],
    ['bert.', 'bert.'],
    ['embeddings.', 'bert.embeddings.'],
    ['encoder.layer.', 'bert.encoder.layer.'],
  ],
  ignored: [/^encoder\.encoder\.fc\./, /^(bert\.)?pooler\./, /^classifier\./],
};

export interface BioVilConfig {
  readonly visual: ResNetConfig;
  readonly text: BertConfig;
  /** Width of the joint space; 128 as published. */
  readonly dimension: number;
}

/** Sizes come from the weights, depth is the published one. @throws ShapeError if the weights are not those of BioViL. */
export function bioVilConfig(weights: PublishedWeights): BioVilConfig {
  const [dimension = 0] = shapeOf(weights, 'projector.3.weight', 4);
  return { visual: resNetOf(weights, 'visual.', [3, 4, 6, 3]), text: bertOf(weights, 'bert.'), dimension };
}

/** Text and image tower of BioViL. Property names of the projector are places in its `nn.Sequential`; 2 is the ReLU. */
export class BioVil extends Module {
  readonly config: BioVilConfig;
  readonly visual: ResNet;
  readonly projector: { readonly 0: Conv2d; readonly 1: BatchNorm2d; readonly 3: Conv2d };
  readonly bert: BertEncoder;
  readonly cls_projection_head: {
    readonly dense_to_hidden: Linear;
    readonly LayerNorm: LayerNorm;
    readonly dense_to_output: Linear;
  };

  constructor(config: BioVilConfig) {
    super();
    const { visual, text, dimension } = config;
    this.config = config;
    this.visual = new ResNet(visual);
    this.projector = {
      0: new Conv2d(this.visual.channels(visual.stages.length - 1), dimension, 1, { bias: false }),
      1: new BatchNorm2d(dimension),
      3: new Conv2d(dimension, dimension, 1),
    };
    this.bert = new BertEncoder(text);
    this.cls_projection_head = {
      dense_to_hidden: new Linear(text.hidden, dimension),
      LayerNorm: new LayerNorm(dimension, 1e-12),
      dense_to_output: new Linear(dimension, dimension),
    };
  }

  /**
   * Projected patches of grey images `[batch, height, width, 1]` in [0, 1]: `[batch, rows, columns, dimension]`, the
   * stride-32 grid of the last stage (15x15 at 480 pixels). Not normalised. @throws ShapeError for other channels.
   */
  encodeImage(image: Tensor): Tensor {
    const [batch = 0, height = 0, width = 0, channels = 0] = image.shape;
    if (channels !== 1)
      throw new ShapeError(`BioViL takes grey images of one channel, got ${formatShape(image.shape)}.`);
    const { stages } = this.visual.forward(expand(image, [batch, height, width, 3]));
    const last = stages.at(-1);
    if (!last) throw new Error('The last stage is missing.');
    const narrow = this.projector[1].forward(this.projector[0].forward(last), { relu: true });
    return this.projector[3].forward(narrow);
  }

  /** Projected [CLS] states `[batch, dimension]` of i32 `ids` and `mask` `[batch, tokens]`. Not normalised. */
  encodeText(ids: Tensor, mask: Tensor): Tensor {
    const [batch = 0] = ids.shape;
    const last = this.bert.forward(ids, mask).hidden.at(-1);
    if (!last) throw new Error('BERT has no output.');
    const first = reshape(
      slice(last, [
        [0, batch, 1],
        [0, 1, 1],
      ]),
      [batch, -1],
    );
    const { dense_to_hidden, LayerNorm: norm, dense_to_output } = this.cls_projection_head;
    return dense_to_output.forward(norm.forward(gelu(dense_to_hidden.forward(first))));
  }
}

/** @throws ShapeError that lists what is missing, not known or of another shape. */
export async function loadBioVil(gpu: Gpu, files: readonly WeightFile[]): Promise<LoadedSystem<BioVil>> {
  const weights = publishedWeights(bioVilNames, files);
  return loadPublished(gpu, new BioVil(bioVilConfig(weights)), weights);
}
