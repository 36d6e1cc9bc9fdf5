import { cast } from '../src/kernels/cast.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

/** The image that enters ResNet-50 and the features that leave its third stage, to f16 and back. */
export const cases = ({ batch }: Scale): BenchCase[] =>
  [
    [batch, 224, 224, 3],
    [batch, 14, 14, 1024],
  ].flatMap((shape) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const name = `cast ${shape.join('x')}`;
    const work = { flops: 0, bytes: 6 * count };
    return [
      {
        ...work,
        name: `${name} to f16`,
        prepare: (gpu) => {
          const x = randomArray(gpu, shape);
          return () => void cast(x, 'f16');
        },
      },
      {
        ...work,
        name: `${name} to f32`,
        prepare: (gpu) => {
          const x = cast(randomArray(gpu, shape), 'f16');
          return () => void cast(x, 'f32');
        },
      },
    ] satisfies BenchCase[];
  });
