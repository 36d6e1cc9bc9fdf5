import { scale } from '../../autograd/ops/elementwise.ts';
import { matmul } from '../../autograd/ops/matmul.ts';
import { max } from '../../autograd/ops/reductions.ts';
import { permute } from '../../autograd/ops/shape.ts';
import { softmax } from '../../autograd/ops/softmax.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import { ShapeError } from '../../gpu/errors.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { formatShape } from '../../kernels/shape.ts';
import { type GroundingConfig, GroundingModel } from '../grounding.ts';
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
 * GLoRIA (Huang et al., ICCV 2021): names as in `chexpert_resnet50.ckpt`, a Lightning checkpoint of
 * `gloria/lightning/pretrain_model.py` (attribute `gloria`) over `gloria/models/{vision,text}_model.py`.
 * BERT's pooler is in the checkpoint, but only its hidden states are used.
 */
export const gloriaNames: PublishedNames = {
  system: 'GLoRIA',
  wrappers: ['gloria.'],
  beginnings: [
    ['img_encoder.model.', 'visual.'],
    ['img_encoder.global_embedder.', 'global_embedder.'],
    ['img_encoder.local_embedder.', 'local_embedder.'],
    ['text_encoder.model.', 'bert.'],
  ],
  ignored: [/^text_encoder\.model\.pooler\./],
};

/**
 * GLoRIA is our grounding model: local features of `layer3` of a ResNet-50 that sees the image at 299 pixels (bilinear,
 * aligned corners), and the sum of the last four hidden states of BioClinicalBERT (`resnet_forward` of
 * `gloria/models/vision_model.py`, `configs/chexpert_pretrain_config.yaml`). Sizes come from the weights, depth and
 * input are the published ones. @throws ShapeError if the weights are not those of GLoRIA.
 */
export function gloriaConfig(weights: PublishedWeights): GroundingConfig {
  const [dimension = 0] = shapeOf(weights, 'local_embedder.weight', 4);
  const text = bertOf(weights, 'bert.');
  if (text.hidden !== dimension) {
    throw new ShapeError(
      `${weights.label}: GLoRIA compares words and regions as they are, but words have ${text.hidden} elements and regions ${dimension}.`,
    );
  }
  return { visual: resNetOf(weights, 'visual.', [3, 4, 6, 3]), localStage: 3, text, dimension, upsample: 299 };
}

/** @throws ShapeError that lists what is missing, not known or of another shape. */
export async function loadGloria(gpu: Gpu, files: readonly WeightFile[]): Promise<LoadedSystem<GroundingModel>> {
  const weights = publishedWeights(gloriaNames, files);
  return loadPublished(gpu, new GroundingModel(gloriaConfig(weights)), weights);
}

/** `temp1` of GLoRIA's configuration. */
const sharpness = 4;

/**
 * GLoRIA's attention over the image, the largest weight of any word per region: softmax of `v . t` over the words,
 * times 4, softmax over the regions (`attention_fn` of `gloria/loss/gloria_loss.py`; the maximum over words is the first
 * map of `build_attention_images` in `gloria/utils/utils.py`).
 * @param regions `[M, D]`
 * @param words `[P, D]`
 * @returns `[M]`; each word's weights sum to 1 over the regions.
 * @throws ShapeError if shapes do not fit.
 */
export function gloriaAttention(regions: Tensor, words: Tensor): Tensor {
  if (regions.rank !== 2 || words.rank !== 2 || regions.shape[1] !== words.shape[1]) {
    throw new ShapeError(
      `GLoRIA's attention needs regions [M, D] and words [P, D], got ${formatShape(regions.shape)} and ${formatShape(words.shape)}.`,
    );
  }
  const overWords = softmax(matmul(regions, words, { transposeB: true }), 1);
  const overRegions = softmax(scale(permute(overWords, [1, 0]), sharpness), 1);
  return max(overRegions, [0]);
}
