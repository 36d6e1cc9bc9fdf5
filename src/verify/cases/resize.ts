import { z } from 'zod';
import { resizeBilinear } from '../../autograd/ops/resizeBilinear.ts';
import { channelsFirst, channelsLast } from './layout.ts';
import type { CaseRunners } from './operator.ts';
import { operator } from './operator.ts';

const attributes = z.object({ size: z.tuple([z.int(), z.int()]), align_corners: z.boolean().default(false) });

export const runners: CaseRunners = {
  upsample_bilinear: operator(attributes, (inputs, { size, align_corners: alignCorners }) =>
    channelsFirst(resizeBilinear(channelsLast(inputs.get('x')), size, { alignCorners })),
  ),
};
