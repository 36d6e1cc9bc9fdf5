import { numel } from '../src/kernels/shape.ts';
import type { SoftmaxOp } from '../src/kernels/softmax.ts';
import { softmax, softmaxGrad } from '../src/kernels/softmax.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

function alongAxis(op: SoftmaxOp, shape: readonly number[], axis: number): BenchCase[] {
  const floats = numel(shape);
  const name = `${op} ${shape.join('x')}, axis ${axis}`;
  return [
    {
      name,
      flops: 4 * floats,
      bytes: 8 * floats,
      prepare: (gpu) => {
        const x = randomArray(gpu, shape);
        return () => void softmax(op, x, axis);
      },
    },
    {
      name: `${name}, gradient`,
      flops: 4 * floats,
      bytes: 12 * floats,
      prepare: (gpu) => {
        const y = softmax(op, randomArray(gpu, shape, 1), axis);
        const dy = randomArray(gpu, shape, 2);
        return () => void softmaxGrad(op, y, dy, axis);
      },
    },
  ];
}

export const cases = ({ batch }: Scale): BenchCase[] => [
  // The heads of texts of 128 tokens.
  ...alongAxis('softmax', [12 * batch, 128, 128], 2),
  // Sentences of the reports with the regions of the images, normalised over the sentences.
  ...alongAxis('softmax', [batch, 8, 196], 1),
  ...alongAxis('logSoftmax', [batch, 28_996], 1),
];
