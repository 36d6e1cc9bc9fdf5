import { z } from 'zod';
import { conv2d } from '../../autograd/ops/conv2d.ts';
import { channelsFirst, channelsLast } from './layout.ts';
import type { CaseRunners } from './operator.ts';
import { operator } from './operator.ts';

const pair = z.union([z.int(), z.tuple([z.int(), z.int()])]);

const attributes = z.object({
  stride: pair.default(1),
  padding: pair.default(0),
  dilation: pair.default(1),
  groups: z.int().default(1),
});

export const runners: CaseRunners = {
  conv2d: operator(attributes, (inputs, options) =>
    channelsFirst(conv2d(channelsLast(inputs.get('x')), channelsLast(inputs.get('w')), inputs.find('b'), options)),
  ),
};
