import { ShapeError } from '../gpu/errors.ts';
import { formatShape } from '../kernels/shape.ts';
import { bareName, defaultPrefixes, type TensorCatalog } from '../nn/match.ts';
import { type BertConfig, bertBaseConfig } from './bert.ts';
import { bottleneckExpansion, type ResNetConfig, type ResNetStage } from './resnet.ts';

/** Shape of a tensor of a tower under its own name; `rank` axes. @throws ShapeError if there is no such tensor. */
export type ShapeOf = (own: string, rank: number) => readonly number[];

const layerPlace = 'encoder.layer.';

/** Elements of an attention head in every published size of BERT (Devlin et al. 2018; Turc et al. 2019). */
const headSize = 64;

/**
 * A BERT without pooler whose sizes are those of its weights. Weights do not say how many heads there are: without `heads`
 * they have 64 elements.
 * @param label of the weights, for messages.
 * @throws ShapeError if the number of heads is not known, or does not divide the hidden size.
 */
export function bertConfigOf(label: string, shapeOf: ShapeOf, layers: number, heads?: number): BertConfig {
  const rows = (table: string) => shapeOf(`embeddings.${table}_embeddings.weight`, 2);
  const [vocabulary = 0, hidden = 0] = rows('word');
  const [maxPositions = 0] = rows('position');
  const [tokenTypes = 0] = rows('token_type');
  const [intermediate = 0] = shapeOf('encoder.layer.0.intermediate.dense.weight', 2);
  if (heads === undefined && (hidden < headSize || hidden % headSize !== 0)) {
    throw new ShapeError(
      `${label}: expected a BERT with heads of ${headSize} elements, found a hidden size of ${hidden}, and weights do not ` +
        'say how many heads there are; that is num_attention_heads in the config.json they were published with.',
    );
  }
  const count = heads ?? hidden / headSize;
  if (hidden === 0 || hidden % count !== 0) {
    throw new ShapeError(`${label}: a BERT with a hidden size of ${hidden} cannot have ${count} heads.`);
  }
  return { ...bertBaseConfig, vocabulary, hidden, layers, heads: count, intermediate, maxPositions, tokenTypes };
}

/** What wrappers, and the model itself, put in front of the names of its towers. */
export const towerPrefixes: readonly string[] = [...defaultPrefixes, 'visual.'];

/** The tensors of a file as its towers call them. */
function bareTensors(
  label: string,
  file: TensorCatalog,
): { readonly names: readonly string[]; readonly shapeOf: ShapeOf } {
  const sources = new Map<string, string>();
  for (const name of file.names()) {
    const own = bareName(name, towerPrefixes);
    if (!sources.has(own)) sources.set(own, name);
  }
  const shapeOf: ShapeOf = (own, rank) => {
    const source = sources.get(own);
    if (source === undefined) throw new ShapeError(`${label} is not whole: there is no ${own}.`);
    const { shape } = file.info(source);
    if (shape.length === rank && shape.every((size) => size > 0)) return shape;
    throw new ShapeError(`${label}: expected ${rank} axes in ${source}, found the shape ${formatShape(shape)}.`);
  };
  return { names: [...sources.keys()], shapeOf };
}

/** How many numbers follow `before` in names; they count from 0. @throws ShapeError if some are left out. */
function countNumbers(label: string, names: readonly string[], before: string): number {
  const numbers = names
    .filter((name) => name.startsWith(before))
    .map((name) => Number.parseInt(name.slice(before.length), 10))
    .filter(Number.isInteger);
  const count = new Set(numbers).size;
  const highest = numbers.reduce((most, number) => Math.max(most, number), -1);
  if (highest + 1 === count) return count;
  throw new ShapeError(
    `${label} is not whole: it goes up to ${before}${highest}, but has ${count} of these ${highest + 1}.`,
  );
}

/** The stem of torchvision's ResNets: 7x7 with stride 2 and a max pool; strides cannot be read from weights. */
const publishedKernel = 7;

function stageOf(label: string, names: readonly string[], shapeOf: ShapeOf, index: number): ResNetStage {
  const place = `layer${index + 1}.`;
  const [width = 0] = shapeOf(`${place}0.conv1.weight`, 4);
  const [, inner = 0] = shapeOf(`${place}0.conv2.weight`, 4);
  const [channels = 0] = shapeOf(`${place}0.conv3.weight`, 4);
  if (inner !== width) {
    throw new ShapeError(
      `${label}: ${place}0.conv2 takes ${inner} of ${width} channels, as the grouped convolutions of ResNeXt do; expected a ` +
        'ResNet or wide ResNet.',
    );
  }
  const stage = { blocks: countNumbers(label, names, place), width, stride: index === 0 ? 1 : 2 };
  return channels === bottleneckExpansion * width ? stage : { ...stage, channels };
}

/**
 * A ResNet of bottleneck blocks as torchvision builds them, whose depth and widths are those of the weights in a file.
 * @param label of the file, for messages.
 * @throws ShapeError for another stem or other blocks: their strides and groups cannot be read from weights.
 */
export function resNetIn(label: string, file: TensorCatalog): ResNetConfig {
  const { names, shapeOf } = bareTensors(label, file);
  const stem = shapeOf('conv1.weight', 4);
  const [channels = 0, inChannels, kernel = 0] = stem;
  if (kernel !== publishedKernel || (inChannels !== 1 && inChannels !== 3)) {
    throw new ShapeError(
      `${label}: expected a ResNet whose conv1.weight is 7x7 and takes 1 or 3 channels, as torchvision's, found the shape ` +
        `${formatShape(stem)}.`,
    );
  }
  if (!names.includes('layer1.0.conv3.weight')) {
    throw new ShapeError(
      `${label}: expected a ResNet of bottleneck blocks (ResNet-50, -101, -152, wide ones), found one of basic blocks, as ` +
        'ResNet-18 and -34 have: there is no layer1.0.conv3.weight.',
    );
  }
  const stages = [0, 1, 2, 3].filter((index) => names.includes(`layer${index + 1}.0.conv1.weight`));
  return {
    inChannels,
    stem: { channels, kernel, stride: 2, maxPool: true },
    stages: stages.map((index) => stageOf(label, names, shapeOf, index)),
  };
}

/** A BERT whose depth and sizes are those of the weights in a file; see `bertConfigOf`. */
export function bertIn(label: string, file: TensorCatalog, heads?: number): BertConfig {
  const { names, shapeOf } = bareTensors(label, file);
  return bertConfigOf(label, shapeOf, countNumbers(label, names, layerPlace), heads);
}

/** What takes the towers to their common space; checkpoints put `model.` in front. */
const embedders = [/^(model\.)?local_embedder\.weight$/, /^(model\.)?global_embedder\.weight$/];

/** Whether a file holds a whole `GroundingModel`, as a run of ours writes it. */
export function holdsGroundingModel(file: TensorCatalog): boolean {
  const names = [...file.names()];
  return embedders.every((pattern) => names.some((name) => pattern.test(name)));
}

/** A tower of a `GroundingModel`. */
export type Tower = 'visual' | 'text';

/**
 * Says by names which encoders a file holds: a BERT under Hugging Face's names, a ResNet under torchvision's, or both; heads
 * and classifiers may be there too.
 * @param label of the file, for messages.
 * @throws ShapeError if it holds none.
 */
export function towersIn(label: string, file: TensorCatalog): readonly Tower[] {
  const { names } = bareTensors(label, file);
  const has = (pattern: RegExp): boolean => names.some((name) => pattern.test(name));
  const text = has(/^embeddings\.word_embeddings\.weight$/) && has(/^encoder\.layer\.\d/);
  const visual = has(/^conv1\.weight$/) && has(/^layer1\.0\.conv\d\.weight$/);
  if (text || visual) return [...(visual ? (['visual'] as const) : []), ...(text ? (['text'] as const) : [])];
  const all = [...file.names()];
  const some = all.slice(0, 3).join(', ');
  throw new ShapeError(
    `${label} holds no encoder that this model can use: expected a BERT under Hugging Face's names ` +
      "(embeddings.word_embeddings.weight, encoder.layer.0...), a ResNet under torchvision's (conv1.weight, layer1.0.conv1.weight...) " +
      `or a whole groundray model, found ${all.length} tensors${some ? `, starting with ${some}` : ''}.`,
  );
}
