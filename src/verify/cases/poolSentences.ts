import { z } from 'zod';
import { poolSentences } from '../../autograd/ops/poolSentences.ts';
import type { CaseRunners } from './operator.ts';
import { operator } from './operator.ts';

export const runners: CaseRunners = {
  pool_sentences: operator(z.object({ max_sentences: z.int() }), (inputs, { max_sentences: maxSentences }) => {
    const { sentences, mask, report } = poolSentences(inputs.get('hidden'), inputs.get('sentence_ids'), maxSentences);
    return { sentences, mask, report };
  }),
};
