import { binary } from '../src/kernels/binary.ts';
import { unary } from '../src/kernels/unary.ts';
import type { BenchCase } from './harness.ts';
import { randomArray } from './harness.ts';

const size = 2 ** 20;

export const cases: readonly BenchCase[] = [
  {
    name: 'add 1M',
    flops: size,
    bytes: 12 * size,
    prepare: (gpu) => {
      const [a, b] = [randomArray(gpu, [size], 1), randomArray(gpu, [size], 2)];
      return () => void binary('add', a, b);
    },
  },
  {
    name: 'add a bias of 64 to 1M',
    flops: size,
    bytes: 8 * size,
    prepare: (gpu) => {
      const [a, b] = [randomArray(gpu, [size / 64, 64], 1), randomArray(gpu, [64], 2)];
      return () => void binary('add', a, b);
    },
  },
  {
    name: 'gelu 1M',
    flops: size,
    bytes: 8 * size,
    prepare: (gpu) => {
      const x = randomArray(gpu, [size]);
      return () => void unary('gelu', x);
    },
  },
];
