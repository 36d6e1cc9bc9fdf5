import { z } from 'zod';
import { adaptiveAvgPool2d, avgPool2d, maxPool2d } from '../../autograd/ops/pooling.ts';
import { channelsFirst, channelsLast } from './layout.ts';
import type { CaseRunners } from './operator.ts';
import { operator } from './operator.ts';

const size = z.tuple([z.int(), z.int()]);
const pair = z.union([z.int(), size]);
const window = z.object({ kernel: pair, stride: pair.optional(), padding: pair.default(0) });

export const runners: CaseRunners = {
  max_pool2d: operator(window, (inputs, { kernel, stride = kernel, padding }) =>
    channelsFirst(maxPool2d(channelsLast(inputs.get('x')), { kernel, stride, padding })),
  ),
  avg_pool2d: operator(
    window.extend({ count_include_pad: z.boolean().default(true) }),
    (inputs, { kernel, stride = kernel, padding, count_include_pad: countIncludePad }) =>
      channelsFirst(avgPool2d(channelsLast(inputs.get('x')), { kernel, stride, padding, countIncludePad })),
  ),
  adaptive_avg_pool2d: operator(z.object({ output_size: size }), (inputs, attributes) =>
    channelsFirst(adaptiveAvgPool2d(channelsLast(inputs.get('x')), attributes.output_size)),
  ),
};
