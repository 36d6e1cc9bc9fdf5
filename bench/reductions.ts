import { argmax } from '../src/kernels/argmax.ts';
import { reduce } from '../src/kernels/reduce.ts';
import { reduceGrad } from '../src/kernels/reduceGrad.ts';
import type { ReduceOp } from '../src/kernels/reduceRows.ts';
import { numel } from '../src/kernels/shape.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

function over(op: ReduceOp, shape: readonly number[], axes: readonly number[] | null): BenchCase {
  return {
    name: `${op} ${shape.join('x')}, ${axes ? `axes ${axes.join(' ')}` : 'all axes'}`,
    flops: (op === 'logSumExp' ? 3 : 1) * numel(shape),
    bytes: 4 * numel(shape),
    prepare: (gpu) => {
      const x = randomArray(gpu, shape);
      return () => void reduce(op, x, axes);
    },
  };
}

function gradient(op: 'max' | 'logSumExp', shape: readonly number[], axes: readonly number[]): BenchCase {
  return {
    name: `${op} ${shape.join('x')}, axes ${axes.join(' ')}, gradient`,
    flops: 2 * numel(shape),
    bytes: 8 * numel(shape),
    prepare: (gpu) => {
      const x = randomArray(gpu, shape, 1);
      const y = reduce(op, x, axes);
      const dy = randomArray(gpu, y.shape, 2);
      return () => void reduceGrad(op, x, y, dy, axes);
    },
  };
}

export const cases = ({ batch }: Scale): BenchCase[] => [
  over('sum', [2 ** 20], null),
  // The gradient of a bias, and the mean over the pixels at the end of a ResNet.
  over('sum', [128 * batch, 768], [0]),
  over('mean', [batch, 7, 7, 2048], [1, 2]),
  ...overRegions([8 * batch, 196]),
];

/** Sentences and the regions of an image. */
const overRegions = (rows: readonly number[]): BenchCase[] => [
  over('logSumExp', rows, [1]),
  gradient('logSumExp', rows, [1]),
  over('max', rows, [1]),
  gradient('max', rows, [1]),
  {
    name: `argmax ${rows.join('x')}, axis 1`,
    flops: numel(rows),
    bytes: 4 * numel(rows),
    prepare: (gpu) => {
      const x = randomArray(gpu, rows);
      return () => void argmax(x, 1);
    },
  },
];
