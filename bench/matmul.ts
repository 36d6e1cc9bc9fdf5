import { matmul } from '../src/kernels/matmul.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

type Form = 'nn' | 'nt' | 'tn';

/** `rows x depth` by `depth x cols`; a `t` says that the operand is stored transposed. */
function product(rows: number, depth: number, cols: number, form: Form, use?: string): BenchCase {
  const [transposeA, transposeB] = [form === 'tn', form === 'nt'];
  return {
    name: `matmul ${rows}x${depth}x${cols} ${form}${use ? `, ${use}` : ''}`,
    flops: 2 * rows * depth * cols,
    bytes: 4 * (rows * depth + depth * cols + rows * cols),
    prepare: (gpu) => {
      const a = randomArray(gpu, transposeA ? [depth, rows] : [rows, depth], 1);
      const b = randomArray(gpu, transposeB ? [cols, depth] : [depth, cols], 2);
      return () => void matmul(a, b, { transposeA, transposeB });
    },
  };
}

/** A linear layer and its two gradients. */
function linear(rows: number, inputs: number, outputs: number): BenchCase[] {
  return [
    product(rows, inputs, outputs, 'nt', 'linear'),
    product(rows, outputs, inputs, 'nn', 'input gradient'),
    product(outputs, rows, inputs, 'tn', 'weight gradient'),
  ];
}

/** Query, key, value and output of BERT-base's attention, and both layers behind it. */
function bertLayers(tokens: number): BenchCase[] {
  return [...linear(tokens, 768, 768), ...linear(tokens, 768, 3072), ...linear(tokens, 3072, 768)];
}

export const cases = ({ batch, small }: Scale): BenchCase[] => [
  ...(small ? [256, 512, 1024] : [1024, 2048, 4096]).map((size) => product(size, size, size, 'nn')),
  ...bertLayers(64 * batch),
  ...bertLayers(128 * batch),
];
