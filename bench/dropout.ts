import { dropout } from '../src/kernels/dropout.ts';
import { numel } from '../src/kernels/shape.ts';
import type { BenchCase } from './harness.ts';
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

export const cases: readonly BenchCase[] = [
  // The hidden states of four texts of BERT-base, and their attention.
  drop([512, 768]),
  drop([4, 12, 128, 128]),
];
