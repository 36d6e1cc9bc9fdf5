import { z } from 'zod';
import { logSoftmax, softmax } from '../../autograd/ops/softmax.ts';
import type { CaseRunners } from './operator.ts';
import { operator } from './operator.ts';

const axis = z.object({ dim: z.int().default(-1) });

export const runners: CaseRunners = {
  softmax: operator(axis, (inputs, { dim }) => softmax(inputs.get('x'), dim)),
  log_softmax: operator(axis, (inputs, { dim }) => logSoftmax(inputs.get('x'), dim)),
};
