import { gradNorm, scaleByClip } from '../kernels/gradNorm.ts';
import type { NDArray } from '../kernels/ndarray.ts';
import type { ParameterArena } from './arena.ts';

/**
 * Norm of all gradients of an arena and the factor `min(1, maxNorm / (norm + 1e-6))`, without waiting for the GPU.
 * The gradients are not touched: pass the result to `Optimizer.step`, or to `scaleGradients`.
 * @param maxNorm 0 measures without clipping.
 * @returns `[norm, factor, number of non-finite elements]`; the caller (or its scope) disposes it.
 */
export function clipGradNorm(arena: ParameterArena, maxNorm: number): NDArray {
  if (!(maxNorm >= 0)) throw new RangeError(`clipGradNorm needs a norm of at least 0, not ${maxNorm}.`);
  arena.settleGrad();
  const grads = arena.trainable.map((segment) => segment.grads);
  return gradNorm(arena.gpu, grads, Number.isFinite(maxNorm) ? maxNorm : 0);
}

/** Multiplies all gradients of an arena by the factor of `clipGradNorm`, in place. */
export function scaleGradients(arena: ParameterArena, clip: NDArray): void {
  arena.settleGrad();
  for (const { grads } of arena.trainable) scaleByClip(grads, clip);
}

/** Norm of all gradients of a step, read back. */
export interface GradNorm {
  /** Norm of the finite elements before clipping. */
  readonly norm: number;
  readonly factor: number;
  /** Gradient elements that are infinite or not a number; the optimizer skips the step if there are any. */
  readonly nonFinite: number;
}

/** Brings a result of `clipGradNorm` to the host, for logs. */
export async function readGradNorm(clip: NDArray): Promise<GradNorm> {
  const [norm = Number.NaN, factor = Number.NaN, nonFinite = Number.NaN] = await clip.read();
  return { norm, factor, nonFinite };
}
