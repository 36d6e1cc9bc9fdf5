import { copy, expand, permute } from '../src/kernels/copy.ts';
import { numel } from '../src/kernels/shape.ts';
import { cat, sliceGrad } from '../src/kernels/slice.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

/** The gradient is a permutation too, the inverse one. */
function permutation(shape: readonly number[], dims: readonly number[]): BenchCase {
  return {
    name: `permute ${shape.join('x')} to axes ${dims.join(' ')}`,
    flops: 0,
    bytes: 8 * numel(shape),
    prepare: (gpu) => {
      const x = randomArray(gpu, shape);
      return () => void copy(permute(x, dims));
    },
  };
}

export const cases = ({ batch }: Scale): BenchCase[] => [
  ...copies,
  // Tokens to heads, and images between channels last and channels first.
  permutation([batch, 128, 12, 64], [0, 2, 1, 3]),
  permutation([batch, 56, 56, 256], [0, 3, 1, 2]),
  ...tokenCopies([batch, 128, 768]),
];

const copies: readonly BenchCase[] = [
  {
    name: 'copy 1M',
    flops: 0,
    bytes: 8 * 2 ** 20,
    prepare: (gpu) => {
      const x = randomArray(gpu, [2 ** 20]);
      return () => void copy(x);
    },
  },
  permutation([768, 768], [1, 0]),
  {
    name: 'expand 768 to 1024x768',
    flops: 0,
    bytes: 4 * 1024 * 768,
    prepare: (gpu) => {
      const x = randomArray(gpu, [768]);
      return () => void copy(expand(x, [1024, 768]));
    },
  },
];

const tokenCopies = (tokens: readonly [number, number, number]): BenchCase[] => [
  {
    name: `slice the first of 128 tokens of ${tokens.join('x')}, gradient`,
    flops: 0,
    bytes: 4 * numel(tokens),
    prepare: (gpu) => {
      const dy = randomArray(gpu, [tokens[0], 1, tokens[2]]);
      return () =>
        void sliceGrad(dy, tokens, [
          [0, tokens[0]],
          [0, 1],
        ]);
    },
  },
  {
    name: `cat two of ${tokens.join('x')}, axis 2`,
    flops: 0,
    bytes: 16 * numel(tokens),
    prepare: (gpu) => {
      const parts = [randomArray(gpu, tokens, 1), randomArray(gpu, tokens, 2)];
      return () => void cat(parts, 2);
    },
  },
];
