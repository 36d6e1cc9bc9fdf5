import { z } from 'zod';
import { argmax, logSumExp, max, mean, sum } from '../../autograd/ops/reductions.ts';
import type { Tensor } from '../../autograd/tensor.ts';
import type { CaseRunner, CaseRunners } from './operator.ts';
import { operator } from './operator.ts';

const axes = z.object({ dims: z.array(z.int()).nullable().default(null), keepdim: z.boolean().default(false) });
const axis = z.object({ dim: z.int().nullable().default(null), keepdim: z.boolean().default(false) });

const reduction = (op: (x: Tensor, axes: readonly number[] | null, keepDims: boolean) => Tensor): CaseRunner =>
  operator(axes, (inputs, { dims, keepdim }) => op(inputs.get('x'), dims, keepdim));

export const runners: CaseRunners = {
  sum: reduction(sum),
  mean: reduction(mean),
  max: reduction(max),
  logsumexp: reduction(logSumExp),
  argmax: operator(axis, (inputs, { dim, keepdim }) => argmax(inputs.get('x'), dim, keepdim)),
};
