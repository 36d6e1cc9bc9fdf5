import { cat, reshape } from '../autograd/ops/shape.ts';
import { noGrad } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { ObjectiveLosses } from '../models/objective.ts';
import { smallestLossScale } from '../nn/lossScale.ts';

/** What one batch gave, on the host. */
export interface StepMetrics {
  readonly total: number;
  readonly globalVt: number;
  readonly globalTv: number;
  /** Absent for the objective `global`. */
  readonly localVt?: number;
  readonly localTv?: number;
  /** Share of images whose own report is the most similar one in the batch. */
  readonly accuracy: number;
  /** Norm of the gradient before clipping, NaN if a gradient or a parameter is not finite; absent for validation. */
  readonly gradNorm?: number;
  /** Scale of the loss behind the step; only in mixed precision. */
  readonly lossScale?: number;
  /** 1 if the scaled gradients overflowed f16: nothing was updated, and the next scale is smaller. */
  readonly overflowed?: 1;
}

/** What is packed besides the losses: norms of gradients and parameters in training, and the scale of the loss. */
export interface PackedExtras {
  readonly norms: boolean;
  readonly lossScale: boolean;
}

/** Losses and similarities in one tensor, so that a step is read back with a single copy. */
export function packMetrics(losses: ObjectiveLosses, extra: readonly Tensor[]): Tensor {
  const { total, globalVt, globalTv, localVt, localTv } = losses;
  const similarity = losses.localSimilarity ?? losses.globalSimilarity;
  const scalars = [total, globalVt, globalTv, localVt ?? globalVt, localTv ?? globalTv];
  return noGrad(() =>
    cat(
      [...scalars, ...extra, similarity].map((x) => reshape(x, [-1])),
      0,
    ),
  );
}

/** Reads what `packMetrics` packed for a batch of `rows` studies. */
export function unpackMetrics(
  values: ArrayLike<number>,
  rows: number,
  hasLocal: boolean,
  extras: PackedExtras,
): StepMetrics {
  const at = (i: number): number => values[i] ?? Number.NaN;
  const first = values.length - rows * rows;
  let hits = 0;
  for (let row = 0; row < rows; row++) {
    let best = 0;
    for (let col = 1; col < rows; col++) if (at(first + row * rows + col) > at(first + row * rows + best)) best = col;
    if (best === row) hits += 1;
  }
  return {
    total: at(0),
    globalVt: at(1),
    globalTv: at(2),
    ...(hasLocal ? { localVt: at(3), localTv: at(4) } : {}),
    accuracy: hits / rows,
    ...(extras.norms ? unpackNorms(at, extras.lossScale) : {}),
  };
}

/** Behind the losses: norm, factor and number of non-finite elements of the gradients, then of the parameters; scale. */
function unpackNorms(at: (i: number) => number, hasScale: boolean): Partial<StepMetrics> {
  const [norm, badGradients, badParameters, lossScale] = [at(5), at(7), at(10), at(11)];
  const gradNorm = badGradients + badParameters > 0 ? Number.NaN : norm;
  if (!hasScale) return { gradNorm };
  const isOverflow = badGradients > 0 && badParameters === 0 && lossScale > smallestLossScale;
  return isOverflow ? { lossScale, overflowed: 1 } : { lossScale, gradNorm };
}
