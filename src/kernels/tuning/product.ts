import type { DType } from '../dtype.ts';
import type { GemmLoads } from '../gemm.ts';

/** A matrix product as the cores see it: everything that decides how fast a plan for it is. */
export interface GemmProduct {
  readonly kernel: 'matmul' | 'conv2dForward' | 'conv2dInputGrad' | 'conv2dWeightGrad';
  /** Transposes or kernel size and stride; `Bias` or `Add` where one may be fused. */
  readonly form: string;
  readonly rows: number;
  readonly cols: number;
  readonly depth: number;
  readonly batch: number;
  readonly loads: GemmLoads;
  /** Of A, B and the result. */
  readonly dtypes: readonly [DType, DType, DType];
}

/** Whether an operand is f16, so that tensor cores lose nothing that was there. */
export function hasHalfOperand({ dtypes: [a, b] }: GemmProduct): boolean {
  return a === 'f16' || b === 'f16';
}

/**
 * Rounds a size up to 1, 2, 3, 4, 6, 8, 12, 16, 24 ...: the powers of two and what lies half-way between them.
 * Two buckets per doubling: a plan serves sizes that differ by less than half, and usual widths are their own bucket.
 */
export function bucketOf(size: number): number {
  if (size <= 2) return Math.max(1, size);
  const power = 2 ** Math.ceil(Math.log2(size));
  return size <= 0.75 * power ? 0.75 * power : power;
}

/** Name of all products that share a plan, e.g. `matmul nt 4096x768x3072 vec4 f32`: rows, columns and depth as buckets. */
export function productKey({ kernel, form, rows, cols, depth, batch, loads, dtypes }: GemmProduct): string {
  const sizes = [rows, cols, depth].map(bucketOf).join('x');
  const times = batch > 1 ? ` ${bucketOf(batch)} times` : '';
  const types = new Set(dtypes).size === 1 ? dtypes[0] : dtypes.join('-');
  return `${kernel} ${form} ${sizes}${times} ${loads} ${types}`;
}
