import { fill } from '../src/kernels/fill.ts';
import { layerNorm, layerNormGrad } from '../src/kernels/layerNorm.ts';
import { normGradSums } from '../src/kernels/normGradSums.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

/** BERT-base's width and epsilon. */
const [width, eps] = [768, 1e-12];

function tokens(rows: number): BenchCase[] {
  const shape = [rows, width];
  const floats = rows * width;
  const name = `layerNorm ${rows}x${width}`;
  return [
    {
      name,
      flops: 8 * floats,
      bytes: 8 * floats,
      prepare: (gpu) => {
        const x = randomArray(gpu, shape);
        const [weight, bias] = [fill(gpu, [width], 1), fill(gpu, [width], 0)];
        return () => void layerNorm(x, weight, bias, eps);
      },
    },
    {
      name: `${name}, input gradient`,
      flops: 12 * floats,
      bytes: 12 * floats,
      prepare: (gpu) => {
        const [x, dy] = [randomArray(gpu, shape, 1), randomArray(gpu, shape, 2)];
        const [weight, bias] = [fill(gpu, [width], 1), fill(gpu, [width], 0)];
        const { statistics } = layerNorm(x, weight, bias, eps);
        return () => void layerNormGrad(x, dy, statistics, weight);
      },
    },
    {
      name: `${name}, weight and bias gradients`,
      flops: 5 * floats,
      bytes: 8 * floats,
      prepare: (gpu) => {
        const [x, dy] = [randomArray(gpu, shape, 1), randomArray(gpu, shape, 2)];
        const { statistics } = layerNorm(x, fill(gpu, [width], 1), fill(gpu, [width], 0), eps);
        return () => void normGradSums(x, dy, statistics, 'row');
      },
    },
  ];
}

/** Texts of 64 and of 128 tokens. */
export const cases = ({ batch }: Scale): BenchCase[] => [...tokens(64 * batch), ...tokens(128 * batch)];
