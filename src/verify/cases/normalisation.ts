import { z } from 'zod';
import { cosineSimilarity, pairwiseCosine } from '../../autograd/ops/cosine.ts';
import { l2Normalize } from '../../autograd/ops/l2Normalize.ts';
import { layerNorm } from '../../autograd/ops/layerNorm.ts';
import type { CaseRunners } from './operator.ts';
import { operator } from './operator.ts';

const cosineAttributes = z.object({ eps: z.number().default(1e-8) });

export const runners: CaseRunners = {
  layer_norm: operator(z.object({ eps: z.number().default(1e-5) }), (inputs, { eps }) =>
    layerNorm(inputs.get('x'), inputs.get('weight'), inputs.get('bias'), eps),
  ),
  l2_normalize: operator(z.object({ dim: z.int().default(-1), eps: z.number().default(1e-12) }), (inputs, attributes) =>
    l2Normalize(inputs.get('x'), attributes.dim, attributes.eps),
  ),
  cosine_similarity: operator(cosineAttributes, (inputs, { eps }) =>
    cosineSimilarity(inputs.get('a'), inputs.get('b'), eps),
  ),
  pairwise_cosine: operator(cosineAttributes, (inputs, { eps }) =>
    pairwiseCosine(inputs.get('a'), inputs.get('b'), eps),
  ),
};
