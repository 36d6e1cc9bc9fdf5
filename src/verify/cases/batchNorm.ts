import { z } from 'zod';
import { batchNorm } from '../../autograd/ops/batchNorm.ts';
import { Tensor } from '../../autograd/tensor.ts';
import { channelsFirst, channelsLast } from './layout.ts';
import type { CaseRunners } from './operator.ts';
import { operator } from './operator.ts';

const attributes = z.object({ train: z.boolean(), eps: z.number().default(1e-5), momentum: z.number().default(0.1) });

export const runners: CaseRunners = {
  batch_norm: operator(attributes, (inputs, options) => {
    const runningMean = inputs.get('running_mean').array;
    const runningVar = inputs.get('running_var').array;
    const x = channelsLast(inputs.get('x'));
    const y = batchNorm(x, inputs.get('weight'), inputs.get('bias'), { runningMean, runningVar }, options);
    return {
      y: channelsFirst(y),
      new_running_mean: new Tensor(runningMean),
      new_running_var: new Tensor(runningVar),
    };
  }),
};
