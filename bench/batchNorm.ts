import type { Gpu } from '../src/gpu/gpu.ts';
import type { BatchNormParts, RunningStatistics } from '../src/kernels/batchNorm.ts';
import { applyBatchNorm, batchNormGrad, batchStatistics } from '../src/kernels/batchNorm.ts';
import { fill } from '../src/kernels/fill.ts';
import { normGradSums } from '../src/kernels/normGradSums.ts';
import { numel } from '../src/kernels/shape.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

const update = { eps: 1e-5, momentum: 0.1 };

function parameters(gpu: Gpu, channels: number): { parts: BatchNormParts; running: RunningStatistics } {
  return {
    parts: { weight: fill(gpu, [channels], 1), bias: fill(gpu, [channels], 0), relu: true },
    running: { runningMean: fill(gpu, [channels], 0), runningVar: fill(gpu, [channels], 1) },
  };
}

/** Batch norm and ReLU of one layer: with statistics of the batch, with the running ones, and back. */
function layer(batch: number, size: number, channels: number): BenchCase[] {
  const shape = [batch, size, size, channels];
  const floats = numel(shape);
  const name = `batchNorm ${shape.join('x')}`;
  return [
    {
      name: `${name}, training`,
      flops: 8 * floats,
      // x is read for the statistics and once more to be normalised.
      bytes: 12 * floats,
      prepare: (gpu) => {
        const x = randomArray(gpu, shape);
        const { parts, running } = parameters(gpu, channels);
        return () => void applyBatchNorm(x, batchStatistics(x, running, update), parts);
      },
    },
    {
      name: `${name}, evaluation`,
      flops: 4 * floats,
      bytes: 8 * floats,
      prepare: (gpu) => {
        const x = randomArray(gpu, shape);
        const { parts, running } = parameters(gpu, channels);
        const statistics = { mean: running.runningMean, spread: running.runningVar, eps: update.eps, eval: true };
        return () => void applyBatchNorm(x, statistics, parts);
      },
    },
    {
      name: `${name}, gradients`,
      flops: 11 * floats,
      bytes: 20 * floats,
      prepare: (gpu) => {
        const [x, dy] = [randomArray(gpu, shape, 1), randomArray(gpu, shape, 2)];
        const { parts, running } = parameters(gpu, channels);
        const statistics = batchStatistics(x, running, update);
        return () => {
          const sums = normGradSums(x, dy, statistics, 'channel', parts);
          batchNormGrad(x, dy, statistics, parts, sums);
        };
      },
    },
  ];
}

/** Behind the stem, and behind the last convolution of a block of each stage. */
export const cases = ({ batch }: Scale): BenchCase[] => [
  ...layer(batch, 112, 64),
  ...layer(batch, 56, 256),
  ...layer(batch, 28, 512),
  ...layer(batch, 14, 1024),
  ...layer(batch, 7, 2048),
];
