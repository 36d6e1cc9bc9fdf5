import type { Gpu } from '../src/gpu/gpu.ts';
import { binary } from '../src/kernels/binary.ts';
import { fill } from '../src/kernels/fill.ts';
import type { NDArray } from '../src/kernels/ndarray.ts';
import type { BenchCase } from './harness.ts';

const operations = 1000;

/** Tiny additions, each of which needs the result of the one before. */
function chain(gpu: Gpu): () => NDArray {
  const [start, one] = [fill(gpu, [16], 0), fill(gpu, [16], 1)];
  return () => {
    let sum = start;
    for (let i = 0; i < operations; i++) sum = gpu.scope(() => binary('add', sum, one));
    return sum;
  };
}

const work = { flops: 16 * operations, bytes: 3 * 64 * operations };

export const cases: readonly BenchCase[] = [
  {
    name: `${operations} tiny dependent operations, eager`,
    ...work,
    prepare: (gpu) => {
      const record = chain(gpu);
      return () => void record().dispose();
    },
  },
  {
    name: `${operations} tiny dependent operations, replayed`,
    ...work,
    prepare: (gpu) => {
      const captured = gpu.capture(chain(gpu));
      return () => captured.run();
    },
  },
];
