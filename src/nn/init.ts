import type { Shape } from '../kernels/shape.ts';
import { numel } from '../kernels/shape.ts';
import type { ParameterRandom } from './random.ts';

/** Makes the initial values of a parameter of the given (internal) shape. */
export type Initializer = (random: ParameterRandom, shape: Shape) => Float32Array;

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
 * `kaimingFanOut` whose middle tap is `ratio` times as large as the others, with the same variance in sum: a feature
 * starts as a description of its own place rather than of some neighbour.
 */
export function centredFanOut(ratio: number): Initializer {
  return (random, shape) => {
    const [, height = 1, width = 1, channels = 1] = shape;
    const taps = height * width;
    const others = Math.sqrt(taps / (taps - 1 + ratio ** 2));
    const centre = Math.floor(height / 2) * width + Math.floor(width / 2);
    const isCentre = (index: number): boolean => Math.floor(index / channels) % taps === centre;
    return kaimingFanOut(random, shape).map((value, i) => value * others * (isCentre(i) ? ratio : 1));
  };
}
