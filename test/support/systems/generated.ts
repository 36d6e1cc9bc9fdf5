import { uniform } from '../numeric.ts';
import type { Plain } from './plain.ts';

/** Published names with their shapes, written down independently of the modules in `src`. */
export type Shapes = readonly (readonly [name: string, shape: readonly number[]])[];

/** torchvision's `BatchNorm2d` as it is saved. */
export function batchNormShapes(name: string, channels: number): Shapes {
  const parts = ['weight', 'bias', 'running_mean', 'running_var'];
  return [
    ...parts.map((part) => [`${name}.${part}`, [channels]] as const),
    [`${name}.num_batches_tracked`, []] as const,
  ];
}

/** torchvision's names of a stage with bottlenecks of inner width `width`. */
export function stageShapes(name: string, inChannels: number, width: number, blocks: number): Shapes {
  return Array.from({ length: blocks }, (_, i) => {
    const block = `${name}.${i}`;
    const inputs = i === 0 ? inChannels : 4 * width;
    const projection: Shapes =
      i > 0
        ? []
        : [
            [`${block}.downsample.0.weight`, [4 * width, inputs, 1, 1]],
            ...batchNormShapes(`${block}.downsample.1`, 4 * width),
          ];
    return [
      [`${block}.conv1.weight`, [width, inputs, 1, 1]] as const,
      ...batchNormShapes(`${block}.bn1`, width),
      [`${block}.conv2.weight`, [width, width, 3, 3]] as const,
      ...batchNormShapes(`${block}.bn2`, width),
      [`${block}.conv3.weight`, [4 * width, width, 1, 1]] as const,
      ...batchNormShapes(`${block}.bn3`, 4 * width),
      ...projection,
    ];
  }).flat();
}

/** torchvision's ResNet-50 with `width` channels (published: 64) behind the stem; `place` with a dot. */
export function resNet50Shapes(place: string, width: number): Shapes {
  const stages = [3, 4, 6, 3].flatMap((blocks, i) =>
    stageShapes(`${place}layer${i + 1}`, i === 0 ? width : 4 * width * 2 ** (i - 1), width * 2 ** i, blocks),
  );
  return [[`${place}conv1.weight`, [width, 3, 7, 7]], ...batchNormShapes(`${place}bn1`, width), ...stages];
}

export const linearShapes = (name: string, inputs: number, outputs: number): Shapes => [
  [`${name}.weight`, [outputs, inputs]],
  [`${name}.bias`, [outputs]],
];

export const normShapes = (name: string, width: number): Shapes => [
  [`${name}.weight`, [width]],
  [`${name}.bias`, [width]],
];

export interface BertSizes {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly positions: number;
  /** 12 by default, as BERT-base. */
  readonly layers?: number;
}

/** Hugging Face's `BertModel` with its pooler; `place` with a dot. */
export function bertShapes(place: string, sizes: BertSizes): Shapes {
  const { vocabulary, hidden, intermediate, positions, layers: depth = 12 } = sizes;
  const layers = Array.from({ length: depth }, (_, n): Shapes => {
    const layer = `${place}encoder.layer.${n}`;
    return [
      ...['query', 'key', 'value'].flatMap((part) => linearShapes(`${layer}.attention.self.${part}`, hidden, hidden)),
      ...linearShapes(`${layer}.attention.output.dense`, hidden, hidden),
      ...normShapes(`${layer}.attention.output.LayerNorm`, hidden),
      ...linearShapes(`${layer}.intermediate.dense`, hidden, intermediate),
      ...linearShapes(`${layer}.output.dense`, intermediate, hidden),
      ...normShapes(`${layer}.output.LayerNorm`, hidden),
    ];
  }).flat();
  return [
    [`${place}embeddings.word_embeddings.weight`, [vocabulary, hidden]],
    [`${place}embeddings.position_embeddings.weight`, [positions, hidden]],
    [`${place}embeddings.token_type_embeddings.weight`, [2, hidden]],
    ...normShapes(`${place}embeddings.LayerNorm`, hidden),
    ...layers,
    ...linearShapes(`${place}pooler.dense`, hidden, hidden),
  ];
}

/** Names of torch.nn.MultiheadAttention. */
export const attentionShapes = (name: string, width: number): Shapes => [
  [`${name}.in_proj_weight`, [3 * width, width]],
  [`${name}.in_proj_bias`, [3 * width]],
  ...linearShapes(`${name}.out_proj`, width, width),
];

/** Values that keep activations of order 1 through all layers. */
export function generatedState(shapes: Shapes, seed: number): Map<string, Plain & { data: Float32Array }> {
  const drawn = shapes.map(([name, shape], i) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const between = (low: number, high: number) => uniform(seed * 10_007 + i, count, low, high);
    const data = (): Float32Array => {
      if (/num_batches_tracked$/.test(name)) return new Float32Array([9]);
      if (/running_var$/.test(name)) return between(0.5, 1.5);
      if (/running_mean$|bias$/.test(name)) return between(-0.2, 0.2);
      // The last normalisation of a block is small, so that sixteen blocks in a row do not explode.
      if (/bn3\.weight$/.test(name)) return between(0.1, 0.4);
      if (shape.length === 1) return between(0.6, 1.2);
      if (/_embeddings\.weight$/.test(name)) return between(-1, 1);
      const bound = Math.sqrt(
        (shape.length === 4 ? 6 : 3) / shape.slice(1).reduce((product, size) => product * size, 1),
      );
      return between(-bound, bound);
    };
    return [name, { shape, data: data() }] as const;
  });
  return new Map(drawn);
}
