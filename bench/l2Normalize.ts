import { l2Normalize, l2NormalizeGrad } from '../src/kernels/l2Normalize.ts';
import { axisLayout } from '../src/kernels/reduceRows.ts';
import { numel } from '../src/kernels/shape.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

const eps = 1e-8;

function alongAxis(shape: readonly number[], axis: number): BenchCase[] {
  const floats = numel(shape);
  const layout = axisLayout(shape, axis, 'l2Normalize');
  const name = `l2Normalize ${shape.join('x')}, axis ${axis}`;
  return [
    {
      name,
      flops: 3 * floats,
      bytes: 8 * floats,
      prepare: (gpu) => {
        const x = randomArray(gpu, shape);
        return () => void l2Normalize(x, layout, eps);
      },
    },
    {
      name: `${name}, gradient`,
      flops: 7 * floats,
      bytes: 12 * floats,
      prepare: (gpu) => {
        const [x, dy] = [randomArray(gpu, shape, 1), randomArray(gpu, shape, 2)];
        return () => void l2NormalizeGrad(x, dy, layout, eps);
      },
    },
  ];
}

/** The 14x14 regions of the images, along their width and apart. */
export const cases = ({ batch }: Scale): BenchCase[] => [
  ...alongAxis([batch, 196, 768], 2),
  ...alongAxis([batch, 196, 768], 1),
];
