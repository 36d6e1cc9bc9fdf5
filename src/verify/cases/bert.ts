import { z } from 'zod';
import { noGrad } from '../../autograd/tape.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import type { BertFeatures } from '../../models/bert.ts';
import { BertEncoder } from '../../models/bert.ts';
import { Module } from '../../nn/module.ts';
import type { HostTensor } from '../compare.ts';
import { checksum } from '../statistics.ts';
import { runNetwork } from './network.ts';
import type { CaseRunner, CaseRunners } from './operator.ts';
import { attributesOf, Inputs } from './operator.ts';

const attributes = z.object({
  layers: z.int(),
  hidden: z.int(),
  inter: z.int(),
  vocab: z.int(),
  maxpos: z.int(),
  types: z.int().default(2),
  heads: z.int(),
  layer_norm_eps: z.number().default(1e-12),
});

/** The prefix under which the parameters are published. */
class PrefixedBert extends Module {
  readonly bert: BertEncoder;

  constructor(bert: BertEncoder) {
    super();
    this.bert = bert;
  }
}

/** Attention weights of the layers that a case asks for by `probs_<layer>`. */
function probabilities(bert: BertEncoder, { hidden }: BertFeatures, mask: Tensor): Record<string, Tensor> {
  return Object.fromEntries(
    bert.encoder.layer.flatMap(({ attention }, i) => {
      const input = hidden[i];
      return input ? [[`probs_${i}`, noGrad(() => attention.self.probabilities(input, mask))]] : [];
    }),
  );
}

const nothing: HostTensor = { shape: [0], data: [] };

const bert: CaseRunner = async (context) => {
  const sizes = attributesOf(context, attributes);
  const encoder = new BertEncoder({
    vocabulary: sizes.vocab,
    hidden: sizes.hidden,
    layers: sizes.layers,
    heads: sizes.heads,
    intermediate: sizes.inter,
    maxPositions: sizes.maxpos,
    tokenTypes: sizes.types,
    dropout: 0,
    eps: sizes.layer_norm_eps,
    pooler: true,
  });
  const forward = () => {
    const inputs = new Inputs(context);
    const mask = inputs.get('mask');
    const features = encoder.forward(inputs.get('ids'), mask, inputs.find('types'));
    const { hidden, sumLast4: sum_last4, pooled } = features;
    const [embeddings] = hidden;
    const last_hidden = hidden.at(-1);
    return {
      ...Object.fromEntries(hidden.map((output, i) => [`hidden_${i}`, output])),
      ...(embeddings && last_hidden ? { embeddings, last_hidden } : {}),
      sum_last4,
      ...(pooled ? { pooled } : {}),
      ...(context.hasOutput('probs_0') ? probabilities(encoder, features, mask) : {}),
    };
  };
  const padding = context.input('mask').data;
  const weights = Float32Array.from({ length: padding.length * sizes.hidden }, (_, i) =>
    padding[Math.floor(i / sizes.hidden)] === 0 ? 0 : 1,
  );
  const terms = [{ output: 'sum_last4', stream: 'sum4', weights }, { output: 'pooled' }];
  await runNetwork(context, new PrefixedBert(encoder), forward, terms, async (outputs) => {
    const sums = [...Array(sizes.layers + 1).keys()].map((i) => checksum(outputs.get(`hidden_${i}`) ?? nothing));
    context.output('hidden_checksums', { shape: [sums.length, 19], data: sums.flat() });
  });
};

export const runners: CaseRunners = { bert };
