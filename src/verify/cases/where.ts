import { where } from '../../autograd/ops/where.ts';
import type { CaseRunners } from './operator.ts';
import { noAttributes, operator } from './operator.ts';

export const runners: CaseRunners = {
  where: operator(noAttributes, (inputs) => where(inputs.get('cond'), inputs.get('a'), inputs.get('b'))),
};
