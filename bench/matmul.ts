import { matmul } from '../src/kernels/matmul.ts';
import type { BenchCase } from './harness.ts';
import { randomArray } from './harness.ts';

function square(size: number, transposeA: boolean, transposeB: boolean): BenchCase {
  return {
    name: `matmul ${size} ${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}`,
    flops: 2 * size ** 3,
    bytes: 12 * size ** 2,
    prepare: (gpu) => {
      const [a, b] = [randomArray(gpu, [size, size], 1), randomArray(gpu, [size, size], 2)];
      return () => void matmul(a, b, { transposeA, transposeB });
    },
  };
}

export const cases: readonly BenchCase[] = [
  square(256, false, false),
  square(512, false, false),
  square(512, false, true),
  square(512, true, false),
];
