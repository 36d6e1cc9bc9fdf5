import { adamStep } from '../src/kernels/adam.ts';
import { fill } from '../src/kernels/fill.ts';
import { gradNorm, scaleByClip } from '../src/kernels/gradNorm.ts';
import { NDArray } from '../src/kernels/ndarray.ts';
import { sgdStep } from '../src/kernels/sgd.ts';
import type { BenchCase } from './harness.ts';
import { randomArray } from './harness.ts';

/** Parameters of one flat segment; a ResNet-50 has 25 times as many. */
const size = 2 ** 20;

/** Scalars of a first step with the learning rate 1e-5, in the order in which the shader reads them. */
const adamHyper = [1e-5 / 0.1, 1 / Math.sqrt(0.001), 0.9, 0.1, 0.999, 0.001, 1e-8, 0, 1e-7];
/** Learning rate, momentum, weight decay. */
const sgdHyper = [1e-3, 0.9, 1e-4];
/** A norm, the factor that leaves gradients as they are, no non-finite elements. */
const noClip = [1, 1, 0];

export const cases: readonly BenchCase[] = [
  {
    name: 'adam 1M',
    flops: 15 * size,
    bytes: 28 * size,
    prepare: (gpu) => {
      const [values, grads] = [randomArray(gpu, [size], 1), randomArray(gpu, [size], 2)];
      const [firstMoments, secondMoments] = [fill(gpu, [size], 0), fill(gpu, [size], 0)];
      const [hyper, clip] = [NDArray.from(gpu, adamHyper, [9]), NDArray.from(gpu, noClip, [3])];
      return () => adamStep({ values, grads, firstMoments, secondMoments }, hyper, clip);
    },
  },
  {
    name: 'sgd 1M',
    flops: 7 * size,
    bytes: 20 * size,
    prepare: (gpu) => {
      const [values, grads] = [randomArray(gpu, [size], 1), randomArray(gpu, [size], 2)];
      const velocities = fill(gpu, [size], 0);
      const [hyper, clip] = [NDArray.from(gpu, sgdHyper, [3]), NDArray.from(gpu, noClip, [3])];
      return () => sgdStep({ values, grads, velocities }, hyper, clip);
    },
  },
  {
    name: 'gradNorm 1M',
    flops: 2 * size,
    bytes: 4 * size,
    prepare: (gpu) => {
      const grads = randomArray(gpu, [size]);
      return () => void gradNorm(gpu, [grads], 1);
    },
  },
  {
    name: 'scaleByClip 1M',
    flops: size,
    bytes: 8 * size,
    prepare: (gpu) => {
      const grads = randomArray(gpu, [size]);
      const clip = NDArray.from(gpu, noClip, [3]);
      return () => scaleByClip(grads, clip);
    },
  },
];
