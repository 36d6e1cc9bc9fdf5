import type { Shape } from '../kernels/shape.ts';
import { numel } from '../kernels/shape.ts';
import type { ParameterRandom } from './random.ts';

/** Makes the initial values of a parameter of the given (internal) shape. */
export type Initializer = (random: ParameterRandom, shape: Shape) => Float32Array;

/** The same value everywhere. */
export function constant(value: number): Initializer {
  return (_random, shape) => new Float32Array(numel(shape)).fill(value);
}

/** Uniform in [-bound, bound). */
export function uniform(bound: number): Initializer {
  return (random, shape) => random.uniform(numel(shape), bound);
}

/** Normal with mean 0. */
export function normal(deviation: number): Initializer {
  return (random, shape) => random.normal(numel(shape), deviation);
}

/**
 * Normal with variance 2 / fan-out, for convolutions `[out, kernelHeight, kernelWidth, in / groups]` before a ReLU
 * (He et al. 2015, equation 14), as torchvision starts its ResNets.
 */
export const kaimingFanOut: Initializer = (random, shape) => {
  const [out = 1, height = 1, width = 1] = shape;
  return random.normal(numel(shape), Math.sqrt(2 / (out * height * width)));
};

/**
 * `kaimingFanOut` for a feature that describes its own place: every kernel is its own mirror image, left-right and
 * up-down, and the middle tap, where there is one, is `ratio` times as large as the others, with the same variance in sum.
 */
export function centredFanOut(ratio: number): Initializer {
  return (random, shape) => {
    const [, height = 1, width = 1, channels = 1] = shape;
    const values = kaimingFanOut(random, shape);
    const taps = height * width;
    const hasMiddle = height % 2 === 1 && width % 2 === 1;
    const others = hasMiddle ? Math.sqrt(taps / (taps - 1 + ratio ** 2)) : 1;
    return values.map((_, i) => {
      const k = i % channels;
      const tap = Math.floor(i / channels) % taps;
      const kernel = i - k - tap * channels;
      const [y, x] = [Math.floor(tap / width), tap % width];
      const [below, beside] = [height - 1 - y, width - 1 - x];
      const at = (row: number, column: number): number => values[kernel + (row * width + column) * channels + k] ?? 0;
      const mean = (at(y, x) + at(y, beside) + at(below, x) + at(below, beside)) / 4;
      // A tap on an axis is its own reflection, so the mean is over one, two or four independent values.
      const independent = (y === below ? 1 : 2) * (x === beside ? 1 : 2);
      return mean * Math.sqrt(independent) * others * (independent === 1 ? ratio : 1);
    });
  };
}
