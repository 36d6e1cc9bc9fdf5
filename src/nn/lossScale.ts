import type { Gpu } from '../gpu/gpu.ts';
import type { Scoped } from '../gpu/scope.ts';
import { escapes } from '../gpu/scope.ts';
import { moveLossScale } from '../kernels/lossScale.ts';
import { NDArray } from '../kernels/ndarray.ts';
import type { ParameterArena } from './arena.ts';
import { clipGradNorm } from './clip.ts';

/** Scales do not fall below this: gradients that overflow even so are not a matter of f16. */
export const smallestLossScale = 1;

/** Where the scale of the loss begins, and how it moves. */
export interface LossScaleOptions {
  /** Scale of the first step; 2^16 by default. */
  readonly initial?: number;
  /** Steps without an overflow after which the scale doubles; 2,000 by default. */
  readonly growAfter?: number;
}

/** What a `LossScale` needs to continue. */
export interface LossScaleState {
  readonly scale: number;
  /** Steps since the scale moved. */
  readonly goodSteps: number;
}

/**
 * Keeps small gradients from vanishing in f16: the loss is multiplied by a scale before it is back-propagated, and the
 * optimizer divides by it (Micikevicius et al., arXiv 1710.03740). A step whose gradients overflow changes no parameter
 * and halves the scale. All of it lies on the GPU, so that no step waits for the host.
 */
export class LossScale implements Scoped {
  private readonly array: NDArray;
  private readonly growAfter: number;

  constructor(gpu: Gpu, { initial = 2 ** 16, growAfter = 2000 }: LossScaleOptions = {}) {
    this.array = NDArray.from(gpu, [initial, 0], [2]);
    this.growAfter = growAfter;
  }

  /** The scale as a scalar: pass it to `backward` as the loss's upstream gradient. */
  upstream(): NDArray {
    return this.array.view([], [], 0);
  }

  /** The scale as an array of one element, for logs. */
  value(): NDArray {
    return this.array.view([1], [1], 0);
  }

  /** As the function `clipGradNorm`, of gradients that carry the scale: the factor also takes it out. Moves the scale. */
  clipGradNorm(arena: ParameterArena, maxNorm: number): NDArray {
    const clip = clipGradNorm(arena, 0);
    moveLossScale(this.array, clip, Number.isFinite(maxNorm) ? maxNorm : 0, this.growAfter);
    return clip;
  }

  /** Reads what is needed to continue. */
  async state(): Promise<LossScaleState> {
    const [scale = 1, goodSteps = 0] = await this.array.read();
    return { scale, goodSteps };
  }

  /** Continues from a state. */
  load({ scale, goodSteps }: LossScaleState): void {
    this.array.write([scale, goodSteps]);
  }

  /** Frees the scale. */
  dispose(): void {
    this.array.dispose();
  }

  /** What lives on when this is returned from a scope. */
  [escapes](): Iterable<Scoped> {
    return [this.array];
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
