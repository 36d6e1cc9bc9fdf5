import { z } from 'zod';
import type { Tensor } from '../../autograd/tensor.ts';
import type { BertConfig } from '../../models/bert.ts';
import { BertEmbeddings, BertLayer } from '../../models/bert.ts';
import { Bottleneck } from '../../models/resnet.ts';
import type { Module } from '../../nn/module.ts';
import type { CaseContext } from '../caseContext.ts';
import { channelsFirst, channelsLast } from './layout.ts';
import { bindModule, ParameterReader } from './moduleCase.ts';
import type { CaseRunner, CaseRunners, Inputs } from './operator.ts';
import { attributesOf, evaluate } from './operator.ts';

/** Runs a module whose parameters and buffers are stored as inputs of the case, under their published names. */
async function runModule<M extends Module>(
  context: CaseContext,
  module: M,
  forward: (module: M, inputs: Inputs) => Tensor,
): Promise<void> {
  const arena = bindModule(context.gpu, module, (name) => context.input(name));
  try {
    const reader = new ParameterReader(module);
    await evaluate(
      context,
      (inputs) => forward(module, inputs),
      (input) => !reader.has(input),
    );
    for (const { input, shape = [] } of context.spec.grads) {
      if (reader.has(input)) context.gradient(input, { shape, data: await reader.gradient(input) });
    }
    for (const [name, { array }] of module.namedBuffers()) {
      if (context.hasOutput(`new_${name}`)) {
        context.output(`new_${name}`, { shape: array.shape, data: await array.read() });
      }
    }
  } finally {
    arena.dispose();
  }
}

const bottleneckAttributes = z.object({ stride: z.int(), downsample: z.boolean(), train: z.boolean() });

const bottleneck: CaseRunner = async (context) => {
  const { stride, downsample, train } = attributesOf(context, bottleneckAttributes);
  const [width = 0, inChannels = 0] = context.input('conv1.weight').shape;
  const block = new Bottleneck(inChannels, width, stride, downsample);
  block.setTraining(train);
  await runModule(context, block, (module, inputs) => channelsFirst(module.forward(channelsLast(inputs.get('x')))));
};

/** Sizes of the parts of BERT that a block has; the rest is never looked at. */
function bertConfig(sizes: Partial<BertConfig>): BertConfig {
  const none = { vocabulary: 1, hidden: 1, layers: 1, heads: 1, intermediate: 1, maxPositions: 1, tokenTypes: 1 };
  return { ...none, dropout: 0, eps: 1e-12, pooler: false, ...sizes };
}

const bertLayer: CaseRunner = async (context) => {
  const { heads } = attributesOf(context, z.object({ heads: z.int() }));
  const [intermediate = 0, hidden = 0] = context.input('intermediate.dense.weight').shape;
  const layer = new BertLayer(bertConfig({ hidden, heads, intermediate }));
  await runModule(context, layer, (module, inputs) => module.forward(inputs.get('x'), inputs.get('mask')));
};

const bertEmbeddings: CaseRunner = async (context) => {
  const rows = (table: string): number => context.input(`${table}.weight`).shape[0] ?? 0;
  const [, hidden = 0] = context.input('word_embeddings.weight').shape;
  const config = bertConfig({
    hidden,
    vocabulary: rows('word_embeddings'),
    maxPositions: rows('position_embeddings'),
    tokenTypes: rows('token_type_embeddings'),
  });
  await runModule(context, new BertEmbeddings(config), (module, inputs) =>
    module.forward(inputs.get('ids'), inputs.find('types')),
  );
};

export const runners: CaseRunners = { bottleneck, bert_layer: bertLayer, bert_embeddings: bertEmbeddings };
