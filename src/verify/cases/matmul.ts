import { z } from 'zod';
import { linear, matmul } from '../../autograd/ops/matmul.ts';
import type { CaseRunners } from './operator.ts';
import { noAttributes, operator } from './operator.ts';

const transposes = z.object({ transpose_a: z.boolean().default(false), transpose_b: z.boolean().default(false) });

export const runners: CaseRunners = {
  matmul: operator(transposes, (inputs, attributes) =>
    matmul(inputs.get('a'), inputs.get('b'), {
      transposeA: attributes.transpose_a,
      transposeB: attributes.transpose_b,
    }),
  ),
  linear: operator(noAttributes, (inputs) => linear(inputs.get('x'), inputs.get('w'), inputs.find('b'))),
};
