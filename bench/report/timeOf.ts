import type { Measured } from '../measure/statistics.ts';
import type { CaseResult } from './schema.ts';

/** The time that counts. */
export function timeOf(result: CaseResult): Measured {
  return (result.clock === 'gpu' ? result.gpu : undefined) ?? result.wall;
}
