import { ShapeError } from '../gpu/errors.ts';
import type { Variant } from './define.ts';
import { defineKernel, grid1d } from './define.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';
import type { Shape } from './shape.ts';
import { formatShape } from './shape.ts';

/** Sizes of a pooling of `[batch, height, width, channels]`. */
export interface PoolGeometry {
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly kernelY: number;
  readonly kernelX: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly paddingY: number;
  readonly paddingX: number;
}

/** How a mean counts: all of the window, only what lies in the image, or windows that divide the image evenly. */
export type AverageForm = 'countPadding' | 'clipped' | 'adaptive';

const params = {
  count: 'u32',
  columns: 'i32',
  height: 'i32',
  width: 'i32',
  outHeight: 'i32',
  outWidth: 'i32',
  kernelY: 'i32',
  kernelX: 'i32',
  strideY: 'i32',
  strideX: 'i32',
  paddingY: 'i32',
  paddingX: 'i32',
} as const;

const workgroup = 64;

function variant(width: 'vec4' | 'scalar', form: AverageForm): Variant {
  return {
    constants: { WORKGROUP_SIZE: workgroup, ADAPTIVE: form === 'adaptive', COUNT_PADDING: form === 'countPadding' },
    libraries:
      width === 'vec4'
        ? [wgsl.libGrid, wgsl.libElementVec4, wgsl.libPixel, wgsl.libPoolWindow]
        : [wgsl.libGrid, wgsl.libElementScalar, wgsl.libPixel, wgsl.libPoolWindow],
  };
}

const maxVariants = { vec4: variant('vec4', 'clipped'), scalar: variant('scalar', 'clipped') };
const averageVariants = {
  'countPadding-vec4': variant('vec4', 'countPadding'),
  'countPadding-scalar': variant('scalar', 'countPadding'),
  'clipped-vec4': variant('vec4', 'clipped'),
  'clipped-scalar': variant('scalar', 'clipped'),
  'adaptive-vec4': variant('vec4', 'adaptive'),
  'adaptive-scalar': variant('scalar', 'adaptive'),
};

const maxKernel = defineKernel({
  name: 'maxPool2d',
  shader: wgsl.maxPool2d,
  params,
  bindings: ['read', 'write', 'write'],
  typed: [0, 1],
  variants: maxVariants,
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count, kernelY, kernelX, strideY, strideX }) => ({
    flops: count * kernelY * kernelX,
    bytes: 4 * count * (2 + strideY * strideX),
  }),
});

const maxGradKernel = defineKernel({
  name: 'maxPool2dGrad',
  shader: wgsl.maxPool2dGrad,
  params,
  bindings: ['read', 'read', 'write'],
  typed: [0, 2],
  variants: maxVariants,
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count, strideY, strideX }) => ({ flops: count, bytes: 4 * count * (1 + 2 / (strideY * strideX)) }),
});

const averageKernel = defineKernel({
  name: 'avgPool2d',
  shader: wgsl.avgPool2d,
  params,
  bindings: ['read', 'write'],
  variants: averageVariants,
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count, kernelY, kernelX, strideY, strideX }) => ({
    flops: count * kernelY * kernelX,
    bytes: 4 * count * (1 + strideY * strideX),
  }),
});

const averageGradKernel = defineKernel({
  name: 'avgPool2dGrad',
  shader: wgsl.avgPool2dGrad,
  params,
  bindings: ['read', 'write'],
  variants: averageVariants,
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count, strideY, strideX }) => ({ flops: 2 * count, bytes: 4 * count * (1 + 1 / (strideY * strideX)) }),
});

/** One or four channels per invocation. */
function elements(shape: Shape) {
  const channels = shape.at(-1) ?? 1;
  const lanes = channels % 4 === 0 ? 4 : 1;
  const size = shape.reduce((product, own) => product * own, 1);
  return { width: lanes === 4 ? 'vec4' : 'scalar', count: size / lanes, columns: channels / lanes } as const;
}

function outputShape(x: NDArray, { outHeight, outWidth }: PoolGeometry): Shape {
  const [batch = 1, , , channels = 1] = x.shape;
  return [batch, outHeight, outWidth, channels];
}

/** Geometry of windows of a fixed size. @throws ShapeError if none fits, or padding alone could fill a window. */
export function windowGeometry(
  what: string,
  shape: Shape,
  kernel: readonly [number, number],
  stride: readonly [number, number],
  padding: readonly [number, number],
): PoolGeometry {
  const [, height = 0, width = 0] = shape;
  const [kernelY, kernelX] = kernel;
  const [strideY, strideX] = stride;
  const [paddingY, paddingX] = padding;
  const outHeight = Math.floor((height + 2 * paddingY - kernelY) / strideY) + 1;
  const outWidth = Math.floor((width + 2 * paddingX - kernelX) / strideX) + 1;
  const whole = [...kernel, ...stride].every((n) => Number.isInteger(n) && n > 0);
  const padded = padding.every((n, axis) => Number.isInteger(n) && n >= 0 && 2 * n <= (kernel[axis] ?? 0));
  if (shape.length !== 4 || !whole || !padded || !(outHeight > 0 && outWidth > 0)) {
    throw new ShapeError(
      `${what}: x ${formatShape(shape)} with kernel ${formatShape(kernel)}, stride ${formatShape(stride)}, ` +
        `padding ${formatShape(padding)} has no windows; ` +
        'expected [batch, height, width, channels], positive whole numbers and a padding of at most half the kernel.',
    );
  }
  return { height, width, outHeight, outWidth, kernelY, kernelX, strideY, strideX, paddingY, paddingX };
}

/** Geometry of windows that divide the image evenly. @throws ShapeError for sizes below 1. */
export function adaptiveGeometry(what: string, shape: Shape, size: readonly [number, number]): PoolGeometry {
  const [, height = 0, width = 0] = shape;
  const [outHeight, outWidth] = size;
  if (shape.length !== 4 || ![height, width, ...size].every((n) => Number.isInteger(n) && n > 0)) {
    throw new ShapeError(
      `${what}: cannot go from ${formatShape(shape)} to an image of ${formatShape(size)}; ` +
        'expected [batch, height, width, channels] and sizes of at least 1.',
    );
  }
  // Kernel and stride only describe the work here.
  const [strideY, strideX] = [Math.ceil(height / outHeight), Math.ceil(width / outWidth)];
  const windows = { kernelY: strideY, kernelX: strideX, strideY, strideX, paddingY: 0, paddingX: 0 };
  return { height, width, outHeight, outWidth, ...windows };
}

/** Maxima of the dense `x`, and where they lie (u32, row * width + column) for the gradient. */
export function maxPool2d(x: NDArray, geometry: PoolGeometry): { readonly y: NDArray; readonly positions: NDArray } {
  const shape = outputShape(x, geometry);
  const y = NDArray.empty(x.gpu, shape, x.dtype);
  const positions = NDArray.empty(x.gpu, shape, 'u32');
  const { width, count, columns } = elements(shape);
  if (count > 0) maxKernel.run(x.gpu, width, [x, y, positions], { count, columns, ...geometry });
  return { y, positions };
}

/** Gradient `[batch, height, width, channels]` of the input of `maxPool2d`. */
export function maxPool2dGrad(dy: NDArray, positions: NDArray, shape: Shape, geometry: PoolGeometry): NDArray {
  const dx = NDArray.empty(dy.gpu, shape, dy.dtype);
  const { width, count, columns } = elements(shape);
  if (count > 0) maxGradKernel.run(dy.gpu, width, [dy, positions, dx], { count, columns, ...geometry });
  return dx;
}

/** Means over the windows of the dense `x`. */
export function averagePool2d(x: NDArray, form: AverageForm, geometry: PoolGeometry): NDArray {
  const shape = outputShape(x, geometry);
  const y = NDArray.empty(x.gpu, shape);
  const { width, count, columns } = elements(shape);
  if (count > 0) averageKernel.run(x.gpu, `${form}-${width}`, [x, y], { count, columns, ...geometry });
  return y;
}

/** Gradient `[batch, height, width, channels]` of the input of `averagePool2d`. */
export function averagePool2dGrad(dy: NDArray, form: AverageForm, shape: Shape, geometry: PoolGeometry): NDArray {
  const dx = NDArray.empty(dy.gpu, shape);
  const { width, count, columns } = elements(shape);
  if (count > 0) averageGradKernel.run(dy.gpu, `${form}-${width}`, [dy, dx], { count, columns, ...geometry });
  return dx;
}
