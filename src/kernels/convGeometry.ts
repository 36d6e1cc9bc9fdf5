import { ShapeError } from '../gpu/errors.ts';
import type { NDArray } from './ndarray.ts';
import { formatShape } from './shape.ts';

export type Pair = number | readonly [height: number, width: number];

export interface Conv2dOptions {
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly dilation?: Pair;
  readonly groups?: number;
}

/** Sizes of a convolution; channels are per group. */
export interface Conv2dGeometry {
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly padHeight: number;
  readonly padWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly groups: number;
}

function pair(value: Pair | undefined, otherwise: number): readonly [number, number] {
  return typeof value === 'number' || value === undefined ? [value ?? otherwise, value ?? otherwise] : value;
}

/** Sizes of the convolution of `x` `[N, H, W, C]` with `w` `[O, KH, KW, C / groups]`. @throws ShapeError */
export function conv2dGeometry(x: NDArray, w: NDArray, options: Conv2dOptions): Conv2dGeometry {
  const [batch = 0, height = 0, width = 0, channels = 0] = x.shape;
  const [filters = 0, kernelHeight = 0, kernelWidth = 0, inChannels = 0] = w.shape;
  const { groups = 1 } = options;
  const [strideHeight, strideWidth] = pair(options.stride, 1);
  const [padHeight, padWidth] = pair(options.padding, 0);
  const [dilationHeight, dilationWidth] = pair(options.dilation, 1);
  if (x.rank !== 4 || w.rank !== 4 || inChannels * groups !== channels || filters % groups !== 0) {
    throw new ShapeError(
      `conv2d: the input [batch, height, width, channels] has shape ${formatShape(x.shape)}, the weight ` +
        `[out, kernel height, kernel width, channels / groups] ${formatShape(w.shape)}, with ${groups} groups.`,
    );
  }
  const outHeight = Math.floor((height + 2 * padHeight - dilationHeight * (kernelHeight - 1) - 1) / strideHeight) + 1;
  const outWidth = Math.floor((width + 2 * padWidth - dilationWidth * (kernelWidth - 1) - 1) / strideWidth) + 1;
  if (outHeight < 1 || outWidth < 1) {
    throw new ShapeError(
      `conv2d: the kernel ${kernelHeight}x${kernelWidth} is larger than the padded input ${height}x${width}.`,
    );
  }
  return {
    batch,
    height,
    width,
    inChannels,
    outHeight,
    outWidth,
    outChannels: filters / groups,
    kernelHeight,
    kernelWidth,
    strideHeight,
    strideWidth,
    padHeight,
    padWidth,
    dilationHeight,
    dilationWidth,
    groups,
  };
}

/** A 1x1 convolution that visits every pixel once is a matrix product of pixels and channels. */
export function isMatmul(g: Conv2dGeometry): boolean {
  return (
    [g.kernelHeight, g.kernelWidth, g.strideHeight, g.strideWidth, g.groups].every((v) => v === 1) &&
    g.padHeight + g.padWidth === 0
  );
}

/** Multiply-adds of one pass. */
export function macs(g: Conv2dGeometry): number {
  return g.batch * g.outHeight * g.outWidth * g.outChannels * g.kernelHeight * g.kernelWidth * g.inChannels * g.groups;
}

/** Bytes of both images and the filters as f32. */
export function traffic(g: Conv2dGeometry): number {
  const x = g.batch * g.height * g.width * g.inChannels * g.groups;
  const y = g.batch * g.outHeight * g.outWidth * g.outChannels * g.groups;
  return 4 * (x + y + g.outChannels * g.groups * g.kernelHeight * g.kernelWidth * g.inChannels);
}

/** Taps of a kernel that meet one phase of a stride. */
export interface Phase {
  readonly start: number;
  readonly step: number;
  readonly taps: number;
}

/** The taps that connect input positions `phase + i * stride` with outputs: `start + j * step`, `taps` of them. */
export function phaseTaps(phase: number, kernel: number, stride: number, padding: number, dilation: number): Phase {
  const meets = (tap: number): boolean => (((phase + padding - tap * dilation) % stride) + stride) % stride === 0;
  const taps = Array.from({ length: kernel }, (_, tap) => tap).filter(meets);
  return { start: taps[0] ?? 0, step: (taps[1] ?? 1) - (taps[0] ?? 0), taps: taps.length };
}
