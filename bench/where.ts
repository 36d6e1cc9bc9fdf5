import { where as select } from '../src/autograd/ops/where.ts';
import { Tensor } from '../src/autograd/tensor.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { reshape } from '../src/kernels/copy.ts';
import { fill } from '../src/kernels/fill.ts';
import type { NDArray } from '../src/kernels/ndarray.ts';
import { where } from '../src/kernels/where.ts';
import type { BenchCase, Scale } from './harness.ts';
import { backwardAndDrop, paddingMask, randomArray } from './harness.ts';

/** Vectors of the sentences of the reports, a few of which are missing. */
const [sentences, width] = [16, 768];

export const cases = ({ batch }: Scale): BenchCase[] => masking(batch, batch * sentences * width);

function rowMask(gpu: Gpu, reports: number): NDArray {
  return reshape(paddingMask(gpu, reports, sentences, sentences - 4), [reports, sentences, 1]);
}

const masking = (reports: number, floats: number): BenchCase[] => [
  {
    name: `where ${reports}x${sentences}x${width}, a mask of rows`,
    flops: 0,
    bytes: 8 * floats,
    prepare: (gpu) => {
      const [mask, x, zero] = [rowMask(gpu, reports), randomArray(gpu, [reports, sentences, width]), fill(gpu, [1], 0)];
      return () => void where(mask, x, zero);
    },
  },
  {
    name: `where ${reports}x${sentences}x${width}, a mask of rows, gradient`,
    flops: 0,
    bytes: 8 * floats,
    prepare: (gpu) => {
      const x = new Tensor(randomArray(gpu, [reports, sentences, width], 1), { requiresGrad: true });
      const y = select(new Tensor(rowMask(gpu, reports)), x, new Tensor(fill(gpu, [1], 0)));
      const dy = randomArray(gpu, y.shape, 2);
      return () => backwardAndDrop([x], [y], [dy]);
    },
  },
];
