import { pairwiseCosine } from '../src/autograd/ops/cosine.ts';
import { Tensor } from '../src/autograd/tensor.ts';
import { cosineRows, cosineRowsGrad } from '../src/kernels/cosine.ts';
import { cosinePairs } from '../src/kernels/cosinePairs.ts';
import type { BenchCase, Scale } from './harness.ts';
import { backwardAndDrop, randomArray } from './harness.ts';

const eps = 1e-8;
const width = 768;
/** The 14x14 regions of the images, and eight sentences of each report. */
export const cases = ({ batch }: Scale): BenchCase[] => pairCases(196 * batch, 8 * batch);

const pairCases = (regions: number, sentences: number): BenchCase[] => [
  {
    name: `cosine of ${regions}x${width} row by row`,
    flops: 6 * regions * width,
    bytes: 8 * regions * width,
    prepare: (gpu) => {
      const [a, b] = [randomArray(gpu, [regions, width], 1), randomArray(gpu, [regions, width], 2)];
      return () => void cosineRows({ a, b, leading: [regions] }, eps);
    },
  },
  {
    name: `cosine of ${regions}x${width} row by row, gradients`,
    flops: 12 * regions * width,
    bytes: 16 * regions * width,
    prepare: (gpu) => {
      const [a, b] = [randomArray(gpu, [regions, width], 1), randomArray(gpu, [regions, width], 2)];
      const dy = randomArray(gpu, [regions], 3);
      return () => void cosineRowsGrad({ a, b, leading: [regions] }, dy, eps);
    },
  },
  {
    name: `cosine of ${regions}x${width} with ${sentences}x${width}`,
    flops: 2 * regions * sentences * width,
    bytes: 4 * (width * (regions + sentences) + regions * sentences),
    prepare: (gpu) => {
      const [a, b] = [randomArray(gpu, [regions, width], 1), randomArray(gpu, [sentences, width], 2)];
      return () => void cosinePairs(a, b, eps);
    },
  },
  {
    name: `cosine of ${regions}x${width} with ${sentences}x${width}, gradients`,
    flops: 4 * regions * sentences * width,
    bytes: 4 * (2 * width * (regions + sentences) + 2 * regions * sentences),
    prepare: (gpu) => {
      const a = new Tensor(randomArray(gpu, [regions, width], 1), { requiresGrad: true });
      const b = new Tensor(randomArray(gpu, [sentences, width], 2), { requiresGrad: true });
      const y = pairwiseCosine(a, b, eps);
      const dy = randomArray(gpu, [regions, sentences], 3);
      return () => backwardAndDrop([a, b], [y], [dy]);
    },
  },
];
