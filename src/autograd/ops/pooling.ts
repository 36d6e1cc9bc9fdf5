import { contiguous } from '../../kernels/copy.ts';
import type { AverageForm, PoolGeometry } from '../../kernels/pooling.ts';
import {
  adaptiveGeometry,
  averagePool2d,
  averagePool2dGrad,
  maxPool2d as maxPool2dArrays,
  maxPool2dGrad,
  windowGeometry,
} from '../../kernels/pooling.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/** Height and width; one number stands for both. */
export type Pair = number | readonly [number, number];

/** Windows of `maxPool2d` and `avgPool2d`, in pixels. */
export interface PoolOptions {
  readonly kernel: Pair;
  /** The kernel's size by default. */
  readonly stride?: Pair;
  /** On each side; at most half the kernel. 0 by default. */
  readonly padding?: Pair;
}

/** Windows of `avgPool2d`. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether padding counts as zeros in the mean; true by default. */
  readonly countIncludePad?: boolean;
}

function pair(value: Pair): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : value;
}

function geometryOf(what: string, x: Tensor, { kernel, stride = kernel, padding = 0 }: PoolOptions): PoolGeometry {
  return windowGeometry(what, x.shape, pair(kernel), pair(stride), pair(padding));
}

/**
 * Maximum over windows of `x` `[batch, height, width, channels]`; padding never wins, the first maximum in row-major
 * order gets the gradient. Output sizes are rounded down.
 * @throws ShapeError if no window fits or the padding is more than half the kernel.
 */
export function maxPool2d(x: Tensor, options: PoolOptions): Tensor {
  const geometry = geometryOf('maxPool2d', x, options);
  const { y, positions } = maxPool2dArrays(contiguous(x.array), geometry);
  return record('maxPool2d', [x], y, (dy) => [maxPool2dGrad(contiguous(dy), positions, x.shape, geometry)]);
}

function average(name: string, x: Tensor, form: AverageForm, geometry: PoolGeometry): Tensor {
  const y = averagePool2d(contiguous(x.array), form, geometry);
  return record(name, [x], y, (dy) => [averagePool2dGrad(contiguous(dy), form, x.shape, geometry)]);
}

/**
 * Mean over windows of `x` `[batch, height, width, channels]`. Output sizes are rounded down.
 * @throws ShapeError if no window fits or the padding is more than half the kernel.
 */
export function avgPool2d(x: Tensor, options: AvgPoolOptions): Tensor {
  const form = (options.countIncludePad ?? true) ? 'countPadding' : 'clipped';
  return average('avgPool2d', x, form, geometryOf('avgPool2d', x, options));
}

/**
 * Mean over `size` windows that divide the image of `x` `[batch, height, width, channels]` evenly: window i of n along
 * an axis is `[floor(i size / n), ceil((i + 1) size / n))`. @throws ShapeError for sizes below 1.
 */
export function adaptiveAvgPool2d(x: Tensor, size: Pair): Tensor {
  return average('adaptiveAvgPool2d', x, 'adaptive', adaptiveGeometry('adaptiveAvgPool2d', x.shape, pair(size)));
}
