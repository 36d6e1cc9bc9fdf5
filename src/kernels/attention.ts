import { GpuError, ShapeError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { Cost, Workgroups } from '../gpu/pipelines.ts';
import { contiguous } from './copy.ts';
import type { Variant } from './define.ts';
import { defineKernel, grid1d, supportsVariant } from './define.ts';
import type { DropoutOptions } from './dropout.ts';
import { dropoutParams } from './dropout.ts';
import { NDArray } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';
import { formatShape, sameShape } from './shape.ts';
import { pad, slice } from './slice.ts';

/** Head sizes that kernels are compiled for; others are padded with zeros to the next one. */
const headSizes = [16, 32, 64, 96, 128] as const;

/** Rows in workgroup memory: 16 KiB for both arrays of a tile, 64 rows at most. */
function tileRows(headSize: number): number {
  return Math.min(64, Math.floor(16384 / (2 * 4 * headSize) / 4) * 4);
}

const workgroup = 128;

function attentionVariant(size: number): Variant {
  return {
    constants: { D4: size / 4, TILE: tileRows(size), WORKGROUP_SIZE: workgroup },
    libraries: [wgsl.libRandom, wgsl.libAttention],
    features: ['subgroups'],
  };
}

const variants = {
  d16: attentionVariant(16),
  d32: attentionVariant(32),
  d64: attentionVariant(64),
  d96: attentionVariant(96),
  d128: attentionVariant(128),
};
type AttentionVariant = keyof typeof variants;

const params = {
  length: 'u32',
  heads: 'u32',
  headSize: 'u32',
  headsPerBatch: 'u32',
  scale: 'f32',
  masked: 'u32',
  dropThreshold: 'u32',
  keepScale: 'f32',
  seed: 'u32',
} as const;

type AttentionParams = { readonly [K in keyof typeof params]: number };

function attentionGrid({ length, heads }: AttentionParams): Workgroups {
  const [y, z] = grid1d(heads, 1);
  // Four lanes share a row.
  return [Math.ceil(length / (workgroup / 4)), y, z];
}

/** Work of `products` matrix products of the size of the scores. */
function attentionCost(products: number): (values: AttentionParams) => Cost {
  return ({ length, heads, headSize }) => ({
    flops: 2 * products * heads * length * length * headSize,
    bytes: 4 * (products + 2) * heads * length * headSize,
  });
}

const forwardKernel = defineKernel({
  name: 'attention',
  shader: wgsl.attention,
  params,
  bindings: ['read', 'read', 'read', 'read', 'write', 'write'],
  typed: [0, 1, 2, 4],
  variants,
  dispatch: attentionGrid,
  cost: attentionCost(2),
});

const rowsKernel = defineKernel({
  name: 'attentionRows',
  shader: wgsl.attentionRows,
  params: { count: 'u32', width: 'u32' },
  bindings: ['read', 'read', 'read', 'write'],
  typed: [0, 1],
  variants: { plain: { constants: { WORKGROUP_SIZE: 64 }, libraries: [wgsl.libGrid] } },
  dispatch: ({ count }) => grid1d(count, 64),
  cost: ({ count, width }) => ({ flops: 8 * count * width, bytes: 32 * count * width }),
});

const queryKernel = defineKernel({
  name: 'attentionGradQuery',
  shader: wgsl.attentionGradQuery,
  params,
  bindings: ['read', 'read', 'read', 'read', 'read', 'read', 'write'],
  typed: [0, 1, 2, 4, 6],
  variants,
  dispatch: attentionGrid,
  cost: attentionCost(3),
});

const keyValueKernel = defineKernel({
  name: 'attentionGradKeyValue',
  shader: wgsl.attentionGradKeyValue,
  params,
  bindings: ['read', 'read', 'read', 'read', 'read', 'read', 'write', 'write'],
  typed: [0, 1, 2, 4, 6, 7],
  variants,
  dispatch: attentionGrid,
  cost: attentionCost(4),
});

/** Everything the backward pass needs of a forward pass; heads are padded to a size that kernels exist for. */
export interface FusedAttention {
  /** `[B, H, S, d]` */
  readonly output: NDArray;
  readonly variant: AttentionVariant;
  readonly params: AttentionParams;
  /** The seed of the dropout mask, for replays. */
  readonly live: { readonly seed: () => number } | undefined;
  readonly q: NDArray;
  readonly k: NDArray;
  readonly v: NDArray;
  readonly mask: NDArray;
  readonly paddedOutput: NDArray;
  readonly stats: NDArray;
}

/**
 * Whether a device runs the fused kernels and gains from them. Software adapters don't: barriers are slow there and
 * the unrolled loops take minutes to compile, while plain matrix products run at full speed.
 */
export function prefersFusedAttention(gpu: Gpu, headSize: number): boolean {
  return gpu.adapter.kind === 'hardware' && supportsFusedAttention(gpu) && headSize <= 128;
}

export function supportsFusedAttention(gpu: Gpu): boolean {
  return supportsVariant(variants.d128, gpu.device, gpu.adapter);
}

function padHead(x: NDArray, size: number): NDArray {
  const missing = size - (x.shape[3] ?? 0);
  return missing === 0
    ? contiguous(x)
    : pad(
        x,
        [
          [0, 0],
          [0, 0],
          [0, 0],
          [0, missing],
        ],
        0,
      );
}

function cutHead(x: NDArray, size: number): NDArray {
  const whole: [number, number] = [0, Number.MAX_SAFE_INTEGER];
  return x.shape[3] === size ? x : contiguous(slice(x, [whole, whole, whole, [0, size]]));
}

/** @throws ShapeError unless q, k and v are `[B, H, S, d]` alike and the mask is i32 `[B, S]`. */
export function checkAttention(q: NDArray, k: NDArray, v: NDArray, mask: NDArray | undefined): void {
  if (q.rank !== 4 || !sameShape(q.shape, k.shape) || !sameShape(q.shape, v.shape)) {
    throw new ShapeError(
      `attention needs q, k and v of one shape [B, H, S, d], got ${formatShape(q.shape)}, ${formatShape(k.shape)} and ` +
        `${formatShape(v.shape)}.`,
    );
  }
  const [batch = 0, , length = 0] = q.shape;
  if (mask && (mask.dtype !== 'i32' || !sameShape(mask.shape, [batch, length]))) {
    throw new ShapeError(
      `attention needs an i32 mask of shape ${formatShape([batch, length])}, got ${mask.dtype} ${formatShape(mask.shape)}.`,
    );
  }
}

/**
 * `softmax(q k^T / sqrt(d)) v` without storing the probabilities.
 * @param q queries `[B, H, S, d]`; keys `k` and values `v` alike
 * @param mask i32 `[B, S]`, 0 for keys that get the weight 0; a query whose keys are all masked gives zeros
 * @throws ShapeError if shapes do not fit or d is larger than 128.
 */
export function fusedAttention(
  q: NDArray,
  k: NDArray,
  v: NDArray,
  mask: NDArray | undefined,
  dropout: DropoutOptions | undefined,
): FusedAttention {
  checkAttention(q, k, v, mask);
  const { gpu } = q;
  const { params: drop, live } = dropoutParams(dropout ?? { p: 0, seed: 0 });
  const [batch = 0, headsPerBatch = 0, length = 0, headSize = 0] = q.shape;
  const size = headSizes.find((known) => known >= headSize);
  if (size === undefined) {
    throw new ShapeError(
      `attention: the fused kernels take heads of up to 128 elements, got ${headSize}; choose the unfused form.`,
    );
  }
  const heads = batch * headsPerBatch;
  if (heads * length * length > 2 ** 32 || heads * length * size > 2 ** 32) {
    throw new GpuError(`attention over ${formatShape(q.shape)} is too large for 32-bit addresses; split the batch.`);
  }
  const run = {
    variant: `d${size}` as const,
    params: {
      length,
      heads,
      headSize: size,
      headsPerBatch,
      scale: 1 / Math.sqrt(headSize),
      masked: mask ? 1 : 0,
      dropThreshold: drop.threshold,
      keepScale: drop.scale,
      seed: drop.seed,
    },
    live,
    q: padHead(q, size),
    k: padHead(k, size),
    v: padHead(v, size),
    // Without a mask its binding is not read.
    mask: mask ? contiguous(mask) : NDArray.empty(gpu, [1], 'i32'),
    paddedOutput: NDArray.empty(gpu, [batch, headsPerBatch, length, size], q.dtype),
    stats: NDArray.empty(gpu, [batch, headsPerBatch, length, 2]),
  };
  if (heads * length > 0) {
    const arrays = [run.q, run.k, run.v, run.mask, run.paddedOutput, run.stats];
    forwardKernel.run(gpu, run.variant, arrays, run.params, live);
  }
  return { ...run, output: cutHead(run.paddedOutput, headSize) };
}

/** Gradients of q, k and v from that of the output, all `[B, H, S, d]`. */
export function fusedAttentionGrad(run: FusedAttention, grad: NDArray): { dq: NDArray; dk: NDArray; dv: NDArray } {
  const { variant, params: values, live, q, k, v, mask, paddedOutput, stats } = run;
  const { gpu } = q;
  const headSize = grad.shape[3] ?? 0;
  const dy = padHead(grad, values.headSize);
  const count = values.heads * values.length;
  const rows = NDArray.empty(gpu, [count, 4]);
  const [dq, dk, dv] = [q, k, v].map((x) => NDArray.empty(gpu, x.shape, x.dtype)) as [NDArray, NDArray, NDArray];
  if (count > 0) {
    rowsKernel.run(gpu, 'plain', [paddedOutput, dy, stats, rows], { count, width: values.headSize / 4 });
    queryKernel.run(gpu, variant, [q, k, v, mask, dy, rows, dq], values, live);
    keyValueKernel.run(gpu, variant, [q, k, v, mask, dy, rows, dk, dv], values, live);
  }
  return { dq: cutHead(dq, headSize), dk: cutHead(dk, headSize), dv: cutHead(dv, headSize) };
}
