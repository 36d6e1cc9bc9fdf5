import type { PoolGeometry } from '../src/kernels/pooling.ts';
import {
  adaptiveGeometry,
  averagePool2d,
  averagePool2dGrad,
  maxPool2d,
  maxPool2dGrad,
  windowGeometry,
} from '../src/kernels/pooling.ts';
import { numel } from '../src/kernels/shape.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

function outputOf([batch = 1, , , channels = 1]: readonly number[], { outHeight, outWidth }: PoolGeometry): number[] {
  return [batch, outHeight, outWidth, channels];
}

export const cases = ({ batch }: Scale): BenchCase[] => [
  ...stemPooling([batch, 112, 112, 64]),
  ...lastPooling([batch, 7, 7, 2048]),
];

/** Behind a ResNet's stem. */
function stemPooling(stem: readonly number[]): BenchCase[] {
  const stemGeometry = windowGeometry('maxPool2d', stem, [3, 3], [2, 2], [1, 1]);
  const stemOut = outputOf(stem, stemGeometry);
  return [
    {
      name: `maxPool2d 3x3 stride 2 ${stem.join('x')}`,
      flops: 9 * numel(stemOut),
      bytes: 4 * (numel(stem) + 2 * numel(stemOut)),
      prepare: (gpu) => {
        const x = randomArray(gpu, stem);
        return () => void maxPool2d(x, stemGeometry);
      },
    },
    {
      name: `maxPool2d 3x3 stride 2 ${stem.join('x')}, gradient`,
      flops: numel(stem),
      bytes: 4 * (numel(stem) + 2 * numel(stemOut)),
      prepare: (gpu) => {
        const { positions } = maxPool2d(randomArray(gpu, stem, 1), stemGeometry);
        const dy = randomArray(gpu, stemOut, 2);
        return () => void maxPool2dGrad(dy, positions, stem, stemGeometry);
      },
    },
  ];
}

/** The mean over the pixels behind its last stage. */
function lastPooling(last: readonly number[]): BenchCase[] {
  const lastGeometry = adaptiveGeometry('adaptiveAvgPool2d', last, [1, 1]);
  const lastOut = outputOf(last, lastGeometry);
  return [
    {
      name: `adaptiveAvgPool2d ${last.join('x')} to 1x1`,
      flops: numel(last),
      bytes: 4 * (numel(last) + numel(lastOut)),
      prepare: (gpu) => {
        const x = randomArray(gpu, last);
        return () => void averagePool2d(x, 'adaptive', lastGeometry);
      },
    },
    {
      name: `adaptiveAvgPool2d ${last.join('x')} to 1x1, gradient`,
      flops: 2 * numel(last),
      bytes: 4 * (numel(last) + numel(lastOut)),
      prepare: (gpu) => {
        const dy = randomArray(gpu, lastOut);
        return () => void averagePool2dGrad(dy, 'adaptive', last, lastGeometry);
      },
    },
  ];
}
