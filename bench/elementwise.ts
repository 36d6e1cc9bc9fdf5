import { binary } from '../src/kernels/binary.ts';
import { numel } from '../src/kernels/shape.ts';
import { unary, unaryGrad } from '../src/kernels/unary.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

/** Residual connections, biases and activations of BERT-base for texts of 128 tokens. */
export const cases = ({ batch }: Scale): BenchCase[] => [
  ...residual([batch * 128, 768]),
  ...activation([batch * 128, 3072]),
];

function residual(shape: readonly [number, number]): BenchCase[] {
  const size = numel(shape);
  const [, width] = shape;
  return [
    {
      name: `add ${shape.join('x')}`,
      flops: size,
      bytes: 12 * size,
      prepare: (gpu) => {
        const [a, b] = [randomArray(gpu, shape, 1), randomArray(gpu, shape, 2)];
        return () => void binary('add', a, b);
      },
    },
    {
      name: `add a bias of ${width} to ${shape.join('x')}`,
      flops: size,
      bytes: 8 * size,
      prepare: (gpu) => {
        const [a, b] = [randomArray(gpu, shape, 1), randomArray(gpu, [width], 2)];
        return () => void binary('add', a, b);
      },
    },
  ];
}

function activation(shape: readonly number[]): BenchCase[] {
  const size = numel(shape);
  return [
    {
      name: `gelu ${shape.join('x')}`,
      flops: size,
      bytes: 8 * size,
      prepare: (gpu) => {
        const x = randomArray(gpu, shape);
        return () => void unary('gelu', x);
      },
    },
    {
      name: `gelu ${shape.join('x')}, gradient`,
      flops: 2 * size,
      bytes: 12 * size,
      prepare: (gpu) => {
        const [x, dy] = [randomArray(gpu, shape, 1), randomArray(gpu, shape, 2)];
        return () => void unaryGrad('gelu', x, dy);
      },
    },
  ];
}
