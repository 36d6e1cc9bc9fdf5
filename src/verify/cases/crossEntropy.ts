import { z } from 'zod';
import { crossEntropy } from '../../autograd/ops/crossEntropy.ts';
import type { CaseRunners } from './operator.ts';
import { operator } from './operator.ts';

const attributes = z.object({ reduction: z.enum(['mean', 'sum', 'none']).default('mean') });

export const runners: CaseRunners = {
  cross_entropy: operator(attributes, (inputs, { reduction }) =>
    crossEntropy(inputs.get('logits'), inputs.get('labels'), reduction),
  ),
};
