import { dropout } from '../src/kernels/dropout.ts';
import { numel } from '../src/kernels/shape.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

/** The gradient is the same kernel applied to dy. */
function drop(shape: readonly number[]): BenchCase {
  return {
    name: `dropout ${shape.join('x')}`,
    flops: 12 * numel(shape),
    bytes: 8 * numel(shape),
    prepare: (gpu) => {
      const x = randomArray(gpu, shape);
      return () => void dropout(x, { p: 0.1, seed: 7 });
    },
  };
}

/** The hidden states of texts of 128 tokens in BERT-base, and their attention. */
export const cases = ({ batch }: Scale): BenchCase[] => [drop([batch * 128, 768]), drop([batch, 12, 128, 128])];
