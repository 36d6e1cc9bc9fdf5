import { z } from 'zod';
import { globalContrast, localContrast } from '../../autograd/ops/contrastive.ts';
import { add } from '../../autograd/ops/elementwise.ts';
import type { CaseRunners, Inputs } from './operator.ts';
import { operator } from './operator.ts';

const globalAttributes = z.object({ tau1: z.number(), eps: z.number().default(1e-8) });

const localAttributes = globalAttributes.extend({
  tau2: z.number(),
  tau3: z.number(),
  attn_sim: z.enum(['dot', 'cosine']),
  attn_norm: z.enum(['regions', 'sentences_regions']),
  agg: z.enum(['sum', 'mean']),
});

type LocalAttributes = z.infer<typeof localAttributes>;

function local(inputs: Inputs, attributes: LocalAttributes) {
  const { tau1, tau2, tau3, attn_sim: attention, attn_norm: normalization, agg: aggregation, eps } = attributes;
  const options = { tau1, tau2, tau3, attention, normalization, aggregation, eps, keepAttention: true } as const;
  return localContrast(inputs.get('V'), inputs.get('T'), inputs.get('mask'), options);
}

export const runners: CaseRunners = {
  global_contrast: operator(globalAttributes, (inputs, options) => {
    const { similarity, lossVt, lossTv } = globalContrast(inputs.get('image'), inputs.get('report'), options);
    return { sim: similarity, loss_vt: lossVt, loss_tv: lossTv };
  }),
  local_contrast: operator(localAttributes, (inputs, attributes) => {
    const { attention, cosine, similarity, lossVt, lossTv } = local(inputs, attributes);
    return { attention, cos: cosine, Z: similarity, loss_vt: lossVt, loss_tv: lossTv };
  }),
  total_loss: operator(localAttributes, (inputs, attributes) => {
    const { tau1, eps } = attributes;
    const global = globalContrast(inputs.get('image'), inputs.get('report'), { tau1, eps });
    const { similarity, lossVt, lossTv } = local(inputs, attributes);
    return {
      global_vt: global.lossVt,
      global_tv: global.lossTv,
      local_vt: lossVt,
      local_tv: lossTv,
      total: add(add(global.lossVt, global.lossTv), add(lossVt, lossTv)),
      Sg: global.similarity,
      Z: similarity,
    };
  }),
};
