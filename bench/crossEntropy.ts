import { crossEntropy, crossEntropyGrad } from '../src/kernels/crossEntropy.ts';
import { fill } from '../src/kernels/fill.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray, randomIndices } from './harness.ts';

function classification(rows: number, classes: number): BenchCase[] {
  const shape = [rows, classes];
  const floats = rows * classes;
  const name = `crossEntropy ${rows}x${classes}`;
  return [
    {
      name,
      flops: 4 * floats,
      bytes: 4 * floats,
      prepare: (gpu) => {
        const [logits, labels] = [randomArray(gpu, shape), randomIndices(gpu, [rows], classes)];
        return () => void crossEntropy(logits, labels);
      },
    },
    {
      name: `${name}, gradient`,
      flops: 5 * floats,
      bytes: 8 * floats,
      prepare: (gpu) => {
        const [logits, labels] = [randomArray(gpu, shape), randomIndices(gpu, [rows], classes)];
        const { stats } = crossEntropy(logits, labels);
        const dy = fill(gpu, [], 1);
        return () => void crossEntropyGrad(logits, labels, stats, dy, 1 / rows);
      },
    },
  ];
}

/** ImageNet's classes, and BERT's vocabulary at the 15 % of 128 tokens that masked language models predict. */
export const cases = ({ batch }: Scale): BenchCase[] => [
  ...classification(batch, 1000),
  ...classification(19 * batch, 28_996),
];
