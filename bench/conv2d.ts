import type { Conv2dOptions } from '../src/kernels/conv2d.ts';
import { conv2d, conv2dGeometry, conv2dInputGrad, conv2dWeightGrad } from '../src/kernels/conv2d.ts';
import type { BenchCase } from './harness.ts';
import { randomArray } from './harness.ts';

function layer(name: string, size: number, channels: number, filters: number, kernel: number, options: Conv2dOptions) {
  const x = [1, size, size, channels];
  const w = [filters, kernel, kernel, channels];
  const out = size / (typeof options.stride === 'number' ? options.stride : 1);
  const work = {
    flops: 2 * out * out * filters * kernel * kernel * channels,
    bytes: 4 * (size * size * channels + out * out * filters + filters * kernel * kernel * channels),
  };
  const forward: BenchCase = {
    ...work,
    name: `conv2d ${name}`,
    prepare: (gpu) => {
      const [image, weight] = [randomArray(gpu, x, 1), randomArray(gpu, w, 2)];
      const geometry = conv2dGeometry(image, weight, options);
      return () => void conv2d(image, weight, undefined, geometry);
    },
  };
  const inputGrad: BenchCase = {
    ...work,
    name: `conv2d ${name}, input gradient`,
    prepare: (gpu) => {
      const weight = randomArray(gpu, w, 2);
      const geometry = conv2dGeometry(randomArray(gpu, x, 1), weight, options);
      const dy = randomArray(gpu, [1, out, out, filters], 3);
      return () => void conv2dInputGrad(dy, weight, geometry);
    },
  };
  const weightGrad: BenchCase = {
    ...work,
    name: `conv2d ${name}, weight gradient`,
    prepare: (gpu) => {
      const image = randomArray(gpu, x, 1);
      const geometry = conv2dGeometry(image, randomArray(gpu, w, 2), options);
      const dy = randomArray(gpu, [1, out, out, filters], 3);
      return () => void conv2dWeightGrad(image, dy, geometry);
    },
  };
  return [forward, inputGrad, weightGrad];
}

export const cases: readonly BenchCase[] = [
  ...layer('3x3 56x56x64', 56, 64, 64, 3, { padding: 1 }),
  ...layer('3x3 stride 2 56x56x64', 56, 64, 64, 3, { padding: 1, stride: 2 }),
  ...layer('1x1 56x56x64 to 256', 56, 64, 256, 1, {}),
  ...layer('7x7 stem 224x224x3', 224, 3, 64, 7, { padding: 3, stride: 2 }),
];
