import { ShapeError } from '../gpu/errors.ts';
import type { Variant } from './define.ts';
import { defineKernel, grid1d } from './define.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';
import type { Shape } from './shape.ts';
import { formatShape, numel } from './shape.ts';

const params = {
  count: 'u32',
  columns: 'i32',
  height: 'i32',
  width: 'i32',
  outHeight: 'i32',
  outWidth: 'i32',
  numeratorY: 'i32',
  shiftY: 'i32',
  denominatorY: 'i32',
  numeratorX: 'i32',
  shiftX: 'i32',
  denominatorX: 'i32',
} as const;

const workgroup = 64;

const variants: Readonly<Record<'vec4' | 'scalar', Variant>> = {
  vec4: {
    constants: { WORKGROUP_SIZE: workgroup },
    libraries: [wgsl.libGrid, wgsl.libElementVec4, wgsl.libPixel, wgsl.libBilinearTap],
  },
  scalar: {
    constants: { WORKGROUP_SIZE: workgroup },
    libraries: [wgsl.libGrid, wgsl.libElementScalar, wgsl.libPixel, wgsl.libBilinearTap],
  },
};

const resizeKernel = defineKernel({
  name: 'resizeBilinear',
  shader: wgsl.resizeBilinear,
  params,
  bindings: ['read', 'write'],
  variants,
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count, height, width, outHeight, outWidth }) => ({
    flops: 8 * count,
    bytes: 4 * count * (1 + (height * width) / (outHeight * outWidth)),
  }),
});

const gradKernel = defineKernel({
  name: 'resizeBilinearGrad',
  shader: wgsl.resizeBilinearGrad,
  params,
  bindings: ['read', 'write'],
  variants,
  dispatch: ({ count }) => grid1d(count, workgroup),
  cost: ({ count, height, width, outHeight, outWidth }) => ({
    flops: 8 * count * Math.max(1, (outHeight * outWidth) / (height * width)),
    bytes: 4 * count * (1 + (outHeight * outWidth) / (height * width)),
  }),
});

/** Sizes of a resize, and the source position `(o * numerator + shift) / denominator` of output o along each axis. */
export type ResizeGeometry = Readonly<Record<Exclude<keyof typeof params, 'count' | 'columns'>, number>>;

/** Larger axes would overflow the exact source positions. */
const largestSize = 16_384;

/**
 * Geometry of a resize of `[batch, height, width, channels]`. With `alignCorners` the centres of the corner pixels
 * coincide, otherwise the outer edges of the images do.
 * @throws ShapeError for another rank or sizes outside 1 to 16384.
 */
export function resizeGeometry(shape: Shape, size: readonly [number, number], alignCorners: boolean): ResizeGeometry {
  const [, height = 0, width = 0] = shape;
  const [outHeight, outWidth] = size;
  const fits = [height, width, ...size].every((n) => Number.isInteger(n) && n > 0 && n <= largestSize);
  if (shape.length !== 4 || !fits) {
    throw new ShapeError(
      `resizeBilinear: cannot go from ${formatShape(shape)} to an image of ${formatShape(size)}; ` +
        `expected [batch, height, width, channels] and sizes from 1 to ${largestSize}.`,
    );
  }
  // Edges: (o + 1/2) in / out - 1/2. Corners: o (in - 1) / (out - 1).
  const axis = (from: number, to: number): readonly [number, number, number] =>
    alignCorners ? [from - 1, 0, Math.max(to - 1, 1)] : [2 * from, from - to, 2 * to];
  const [numeratorY, shiftY, denominatorY] = axis(height, outHeight);
  const [numeratorX, shiftX, denominatorX] = axis(width, outWidth);
  const fractions = { numeratorY, shiftY, denominatorY, numeratorX, shiftX, denominatorX };
  return { height, width, outHeight, outWidth, ...fractions };
}

function elements(shape: Shape) {
  const channels = shape.at(-1) ?? 1;
  const lanes = channels % 4 === 0 ? 4 : 1;
  return {
    form: lanes === 4 ? 'vec4' : 'scalar',
    count: numel(shape) / lanes,
    columns: channels / lanes,
  } as const;
}

/** The dense `x` `[batch, height, width, channels]` in another size. */
export function resizeBilinear(x: NDArray, geometry: ResizeGeometry): NDArray {
  const [batch = 1, , , channels = 1] = x.shape;
  const y = NDArray.empty(x.gpu, [batch, geometry.outHeight, geometry.outWidth, channels]);
  const { form, count, columns } = elements(y.shape);
  if (count > 0) resizeKernel.run(x.gpu, form, [x, y], { count, columns, ...geometry });
  return y;
}

/** Gradient `[batch, height, width, channels]` of the input of `resizeBilinear`. */
export function resizeBilinearGrad(dy: NDArray, shape: Shape, geometry: ResizeGeometry): NDArray {
  const dx = NDArray.empty(dy.gpu, shape);
  const { form, count, columns } = elements(shape);
  if (count > 0) gradKernel.run(dy.gpu, form, [dy, dx], { count, columns, ...geometry });
  return dx;
}
