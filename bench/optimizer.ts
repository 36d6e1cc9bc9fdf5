import { adamStep } from '../src/kernels/adam.ts';
import { fill } from '../src/kernels/fill.ts';
import { gradNorm, scaleByClip } from '../src/kernels/gradNorm.ts';
import { NDArray } from '../src/kernels/ndarray.ts';
import { sgdStep } from '../src/kernels/sgd.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

/** Scalars of a first step with the learning rate 1e-5, in the order in which the shader reads them. */
const adamHyper = [1e-5 / 0.1, 1 / Math.sqrt(0.001), 0.9, 0.1, 0.999, 0.001, 1e-8, 0, 1e-7];
/** Learning rate, momentum, weight decay. */
const sgdHyper = [1e-3, 0.9, 1e-4];
/** A norm, the factor that leaves gradients as they are, no non-finite elements. */
const noClip = [1, 1, 0];

/** Parameters of one flat segment: those of a ResNet-50, or a million. */
export const cases = ({ small }: Scale): BenchCase[] => updates(small ? 2 ** 20 : 23_508_032, small ? '1M' : '23.5M');

const updates = (size: number, label: string): BenchCase[] => [
  {
    name: `adam ${label}`,
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
    name: `sgd ${label}`,
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
    name: `gradNorm ${label}`,
    flops: 2 * size,
    bytes: 4 * size,
    prepare: (gpu) => {
      const grads = randomArray(gpu, [size]);
      return () => void gradNorm(gpu, [grads], 1);
    },
  },
  {
    name: `scaleByClip ${label}`,
    flops: size,
    bytes: 8 * size,
    prepare: (gpu) => {
      const grads = randomArray(gpu, [size]);
      const clip = NDArray.from(gpu, noClip, [3]);
      return () => scaleByClip(grads, clip);
    },
  },
];
