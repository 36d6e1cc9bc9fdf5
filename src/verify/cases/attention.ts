import { attention, attentionWithProbabilities } from '../../autograd/ops/attention.ts';
import { noGrad } from '../../autograd/tape.ts';
import type { CaseRunners } from './operator.ts';
import { noAttributes, operator } from './operator.ts';

export const runners: CaseRunners = {
  // The fused kernels are checked; they never store the probabilities, which come from the unfused path.
  attention: operator(noAttributes, (inputs) => {
    const [q, k, v, mask] = [inputs.get('q'), inputs.get('k'), inputs.get('v'), inputs.find('mask')];
    const { probabilities } = noGrad(() => attentionWithProbabilities(q, k, v, mask));
    return { y: attention(q, k, v, mask), probs: probabilities };
  }),
};
