import { z } from 'zod';
import { embedding, gather, indexSelect } from '../../autograd/ops/indexing.ts';
import type { CaseRunners } from './operator.ts';
import { operator } from './operator.ts';

const axis = z.object({ dim: z.int() });

export const runners: CaseRunners = {
  embedding: operator(z.object({ padding_idx: z.int().nullable().default(null) }), (inputs, attributes) =>
    embedding(
      inputs.get('w'),
      inputs.get('idx'),
      attributes.padding_idx === null ? {} : { paddingIndex: attributes.padding_idx },
    ),
  ),
  gather: operator(axis, (inputs, { dim }) => gather(inputs.get('x'), dim, inputs.get('idx'))),
  index_select: operator(axis, (inputs, { dim }) => indexSelect(inputs.get('x'), dim, inputs.get('idx'))),
};
