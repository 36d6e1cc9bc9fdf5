import type { HostArray } from '../../../src/nn/arena.ts';
import {
  attentionShapes,
  batchNormShapes,
  bertShapes,
  generatedState,
  linearShapes,
  normShapes,
  resNet50Shapes,
  type Shapes,
  stageShapes,
} from './generated.ts';

/** Sizes of the generated BERTs; depth (12 layers) and heads of 64 elements are the published ones. */
export interface TextSizes {
  readonly vocabulary: number;
  readonly positions: number;
}

const bertOf = (place: string, { vocabulary, positions }: TextSizes): Shapes =>
  bertShapes(place, { vocabulary, positions, hidden: 128, intermediate: 80 });

type State = Map<string, HostArray>;

/** Names of `chexpert_resnet50.ckpt`, at a sixteenth of the width. */
export function gloriaState(text: TextSizes): State {
  const shapes: Shapes = [
    ...bertOf('gloria.text_encoder.model.', text),
    ...resNet50Shapes('gloria.img_encoder.model.', 4),
    ...linearShapes('gloria.img_encoder.global_embedder', 128, 128),
    ['gloria.img_encoder.local_embedder.weight', [128, 64, 1, 1]],
  ];
  return generatedState(shapes, 3);
}

/** Names of `biovil_image_resnet50_proj_size_128.pt`, at a sixteenth of the width, projected to 24. */
export function bioVilImageState(): State {
  const shapes: Shapes = [
    ...resNet50Shapes('encoder.encoder.', 4),
    ...linearShapes('encoder.encoder.fc', 128, 10),
    ['projector.model.0.weight', [24, 128, 1, 1]],
    ...batchNormShapes('projector.model.1', 24),
    ['projector.model.3.weight', [24, 24, 1, 1]],
    ['projector.model.3.bias', [24]],
  ];
  return generatedState(shapes, 11);
}

/** Names of CXR-BERT's `pytorch_model.bin`: masked language model without pooler, and the projection of [CLS]. */
export function cxrBertState(text: TextSizes): State {
  const shapes: Shapes = [
    ...bertOf('bert.', text).filter(([name]) => !name.includes('pooler')),
    ['bert.embeddings.position_ids', [1, text.positions]],
    ['cls.predictions.bias', [text.vocabulary]],
    ...linearShapes('cls.predictions.transform.dense', 128, 128),
    ...linearShapes('cls_projection_head.dense_to_hidden', 128, 24),
    ...normShapes('cls_projection_head.LayerNorm', 24),
    ...linearShapes('cls_projection_head.dense_to_output', 24, 24),
  ];
  return generatedState(shapes, 12);
}

/** Names of MedKLIP's checkpoint without what DataParallel puts in front, at a sixteenth of the width. */
export function medKlipState(): State {
  const width = 32;
  const shapes: Shapes = [
    ['res_features.0.weight', [4, 3, 7, 7]],
    ...batchNormShapes('res_features.1', 4),
    ...stageShapes('res_features.4', 4, 4, 3),
    ...stageShapes('res_features.5', 16, 8, 4),
    ...stageShapes('res_features.6', 32, 16, 6),
    ...linearShapes('res_l1', 64, 64),
    ...linearShapes('res_l2', 64, width),
    ...linearShapes('disease_embedding_layer', 128, width),
    ...linearShapes('cl_fc', width, 128),
    ...[0, 1, 2, 3].flatMap((n): Shapes => {
      const layer = `decoder.layers.${n}`;
      return [
        ...attentionShapes(`${layer}.self_attn`, width),
        ...attentionShapes(`${layer}.multihead_attn`, width),
        ...linearShapes(`${layer}.linear1`, width, 48),
        ...linearShapes(`${layer}.linear2`, 48, width),
        ...[1, 2, 3].flatMap((norm) => normShapes(`${layer}.norm${norm}`, width)),
      ];
    }),
    ...normShapes('decoder.norm', width),
    ...linearShapes('classifier', width, 2),
  ];
  return generatedState(shapes, 31);
}

/** As a checkpoint holds it: `{ model: DataParallel(...).state_dict() }`. */
export const wrappedMedKlip = (state: State): State =>
  new Map([...state].map(([name, values]) => [`model.module.${name}`, values]));

/** Names of Bio_ClinicalBERT: the encoder and its pooler below `bert.`, beside the heads of pre-training. */
export function clinicalBertState(text: TextSizes): State {
  const shapes: Shapes = [...bertOf('bert.', text), ...linearShapes('cls.seq_relationship', 128, 2)];
  return generatedState(shapes, 32);
}
