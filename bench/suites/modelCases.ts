import { crossEntropy } from '../../src/autograd/ops/crossEntropy.ts';
import { reshape, slice } from '../../src/autograd/ops/shape.ts';
import { backward, noGrad } from '../../src/autograd/tape.ts';
import { Tensor, tensor } from '../../src/autograd/tensor.ts';
import { phantomVocabulary } from '../../src/data/phantom/vocabulary.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { copyInto } from '../../src/kernels/copy.ts';
import { numel } from '../../src/kernels/shape.ts';
import { unary } from '../../src/kernels/unary.ts';
import type { BertConfig } from '../../src/models/bert.ts';
import { BertEncoder, bertBaseConfig } from '../../src/models/bert.ts';
import { GroundingModel } from '../../src/models/grounding.ts';
import type { PairBatch } from '../../src/models/objective.ts';
import { contrastiveObjective } from '../../src/models/objective.ts';
import { ResNet, resNet50Config } from '../../src/models/resnet.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { clipGradNorm } from '../../src/nn/clip.ts';
import { Linear } from '../../src/nn/layers.ts';
import { Module } from '../../src/nn/module.ts';
import { adam } from '../../src/nn/optimizer.ts';
import type { RunConfig } from '../../src/train/config.ts';
import { presets } from '../../src/train/presets.ts';
import { cases as contrastiveCases } from '../contrastive.ts';
import { paddingMask, randomArray, randomIndices } from '../harness.ts';

/** Work of a whole model, e.g. a training step. */
export interface ModelCase {
  readonly name: string;
  readonly family: string;
  readonly items: { readonly count: number; readonly unit: string };
  /** Makes model and inputs in the scope of the caller. */
  readonly prepare: (gpu: Gpu) => {
    /** The part that can be captured. */
    readonly record: () => void;
    /** What a step does on the host before it. */
    readonly before?: () => void;
  };
}

const learningRate = 1e-5;

const isNormWeight = (name: string): boolean => /(^|\.)(bn\d|downsample\.1|LayerNorm)\.weight$/.test(name);

/** Parameters of about the usual size; drawing every one of a BERT-base takes seconds, and a model is made every round. */
function quickArena(gpu: Gpu, model: Module): ParameterArena {
  const arena = new ParameterArena(gpu, model, { initialize: false });
  for (const { values } of arena.segments) {
    gpu.scope(() => copyInto(unary('scale', randomArray(gpu, values.shape), { low: 0.03, high: 0 }), values));
  }
  const norms = [...arena.shapes()].filter(([name]) => isNormWeight(name));
  arena.load(norms.map(([name, shape]) => [name, new Float32Array(numel(shape)).fill(1)]));
  return arena;
}

/** Forward, backward and Adam for `loss`. */
function trainStep(arena: ParameterArena, loss: () => Tensor) {
  const optimizer = adam(arena);
  return {
    before: () => optimizer.advance(learningRate),
    record: () => {
      const value = loss();
      arena.zeroGrad();
      backward([value]);
      optimizer.record(clipGradNorm(arena, 1));
    },
  };
}

class ImageClassifier extends Module {
  readonly backbone = new ResNet(resNet50Config);
  readonly fc = new Linear(2048, 1000);
}

function resNetCases(batch: number, size: number): ModelCase[] {
  const items = { count: batch, unit: 'images' };
  const inputs = (gpu: Gpu) => ({
    image: new Tensor(randomArray(gpu, [batch, size, size, 3], 1)),
    labels: new Tensor(randomIndices(gpu, [batch], 1000)),
  });
  const name = `ResNet-50 ${size} px, batch ${batch}`;
  return [
    {
      name: `${name}, forward`,
      family: 'ResNet-50',
      items,
      prepare: (gpu) => {
        const model = new ImageClassifier().setTraining(false);
        quickArena(gpu, model);
        const { image } = inputs(gpu);
        return { record: () => noGrad(() => void model.fc.forward(model.backbone.forward(image).global)) };
      },
    },
    {
      name: `${name}, train step`,
      family: 'ResNet-50',
      items,
      prepare: (gpu) => {
        const model = new ImageClassifier();
        const { image, labels } = inputs(gpu);
        const loss = () => crossEntropy(model.fc.forward(model.backbone.forward(image).global), labels);
        return trainStep(quickArena(gpu, model), loss);
      },
    },
  ];
}

class TextClassifier extends Module {
  readonly bert: BertEncoder;
  readonly fc: Linear;

  constructor(config: BertConfig) {
    super();
    this.bert = new BertEncoder(config);
    this.fc = new Linear(config.hidden, 2);
  }

  forward(ids: Tensor, mask: Tensor): Tensor {
    const { sumLast4 } = this.bert.forward(ids, mask);
    const [batch = 0, , hidden = 0] = sumLast4.shape;
    return this.fc.forward(
      reshape(
        slice(sumLast4, [
          [0, batch],
          [0, 1],
        ]),
        [batch, hidden],
      ),
    );
  }
}

function bertCases(batch: number, tokens: number, config: BertConfig, label: string): ModelCase[] {
  const items = { count: batch, unit: 'texts' };
  const inputs = (gpu: Gpu) => ({
    ids: new Tensor(randomIndices(gpu, [batch, tokens], config.vocabulary)),
    mask: new Tensor(paddingMask(gpu, batch, tokens, (3 * tokens) / 4)),
    labels: new Tensor(randomIndices(gpu, [batch], 2)),
  });
  const name = `${label}, ${tokens} tokens, batch ${batch}`;
  return [
    {
      name: `${name}, forward`,
      family: 'BERT',
      items,
      prepare: (gpu) => {
        const model = new TextClassifier(config).setTraining(false);
        quickArena(gpu, model);
        const { ids, mask } = inputs(gpu);
        return { record: () => noGrad(() => void model.forward(ids, mask)) };
      },
    },
    {
      name: `${name}, train step`,
      family: 'BERT',
      items,
      prepare: (gpu) => {
        const model = new TextClassifier(config);
        const { ids, mask, labels } = inputs(gpu);
        return trainStep(quickArena(gpu, model), () => crossEntropy(model.forward(ids, mask), labels));
      },
    },
  ];
}

/** Reports fill three quarters of the room for tokens, with a sentence every eight tokens. */
function pairBatch(gpu: Gpu, { batchSize, imageSize, maxTokens, model }: RunConfig): PairBatch {
  const present = (3 * maxTokens) / 4;
  const sentences = Int32Array.from({ length: batchSize * maxTokens }, (_, i) => {
    const place = i % maxTokens;
    return place < present ? Math.floor((8 * place) / present) : -1;
  });
  return {
    image: new Tensor(randomArray(gpu, [batchSize, imageSize, imageSize, 1], 1)),
    ids: new Tensor(randomIndices(gpu, [batchSize, maxTokens], model.text.vocabulary)),
    mask: new Tensor(paddingMask(gpu, batchSize, maxTokens, present)),
    sentences: { ids: tensor(gpu, sentences, [batchSize, maxTokens], { dtype: 'i32' }), count: 8 },
  };
}

/** A whole step of `npm run train -- --preset <name>`, without loading the data. */
function presetCase(name: string): ModelCase {
  const preset = presets[name];
  if (!preset) throw new Error(`There is no preset ${name}.`);
  const { text } = preset.model;
  // The phantom presets learn the size of the vocabulary from their data.
  const vocabulary = preset.data.kind === 'phantom' ? phantomVocabulary().length : text.vocabulary;
  const config: RunConfig = { ...preset, model: { ...preset.model, text: { ...text, vocabulary } } };
  const { batchSize, imageSize } = config;
  return {
    name: `${name} train step, ${imageSize} px, batch ${batchSize}`,
    family: name,
    items: { count: batchSize, unit: 'images' },
    prepare: (gpu) => {
      const model = new GroundingModel(config.model);
      const arena = quickArena(gpu, model);
      const batch = pairBatch(gpu, config);
      return trainStep(arena, () => contrastiveObjective(model, batch, config.objective).total);
    },
  };
}

/** Both contrastive losses, forward and backward, on features that are there already. */
function headCases(batch: number): ModelCase[] {
  return contrastiveCases({ batch, small: false })
    .filter(({ name }) => name.endsWith('gradients'))
    .map(({ name, prepare }) => ({
      name,
      family: 'contrastive heads',
      items: { count: batch, unit: 'pairs' },
      prepare: (gpu: Gpu) => ({ record: prepare(gpu) }),
    }));
}

/** A forward pass of one image or text, and what fits most cards. */
const defaultBatches = [1, 32] as const;
const bertSmall: BertConfig = { ...bertBaseConfig, layers: 2, vocabulary: 2000 };

/**
 * Full sizes on hardware, or where batches were asked for; small forms, which say so in their names, on software
 * adapters.
 */
export function modelCases(kind: 'hardware' | 'software', batches: readonly number[] | undefined): ModelCase[] {
  const phantoms = [presetCase('phantom-mini'), presetCase('phantom')];
  if (kind === 'software' && !batches) {
    const bert = bertCases(1, 32, bertSmall, 'BERT-base (2 layers, 2,000 words)');
    return [...resNetCases(1, 64), ...bert, ...headCases(8), ...phantoms];
  }
  const paper = presetCase('paper');
  return [
    ...(batches ?? defaultBatches).flatMap((batch) => [
      ...resNetCases(batch, 224),
      ...bertCases(batch, 128, bertBaseConfig, 'BERT-base'),
    ]),
    ...headCases(paper.items.count),
    ...phantoms,
    paper,
  ];
}
