import { ShapeError } from '../../gpu/errors.ts';
import type { RunningStatistics } from '../../kernels/batchNorm.ts';
import { applyBatchNorm, batchNormGrad, batchStatistics } from '../../kernels/batchNorm.ts';
import { contiguous } from '../../kernels/copy.ts';
import type { NDArray } from '../../kernels/ndarray.ts';
import { normGradSums, normTargets } from '../../kernels/normGradSums.ts';
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { unaryGrad } from '../../kernels/unary.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/** How `batchNorm` normalises, and what it fuses with that. */
export interface BatchNormOptions {
  /** Use the statistics of the batch and move the running ones; otherwise use the running ones. */
  readonly train: boolean;
  /** Added to the variance; 1e-5 by default. */
  readonly eps?: number;
  /** Share of the batch in the new running statistics; 0.1 by default. */
  readonly momentum?: number;
  /** Clip the result at 0, in the same kernel; the derivative at 0 is 0. */
  readonly relu?: boolean;
  /** Added to the result before the ReLU, of the shape of x. */
  readonly residual?: Tensor | undefined;
}

/**
 * Batch normalisation over all axes but the last (Ioffe and Szegedy, arXiv 1502.03167):
 * `y = (x - mean) / sqrt(variance + eps) * weight + bias` for `x` `[..., channels]`, all else `[channels]`; then
 * plus `residual` and clipped at 0 if `relu` is set, as `relu(add(batchNorm(x), residual))` but in one pass.
 * Training uses the biased variance of the batch and puts the unbiased one into `running`, in place.
 * The gradient in evaluation reads the running statistics when it is computed: do not move them in between.
 * @throws ShapeError if shapes do not fit, or in training if a channel has only one value.
 */
export function batchNorm(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  running: RunningStatistics,
  { train, eps = 1e-5, momentum = 0.1, relu = false, residual }: BatchNormOptions,
): Tensor {
  const channels = x.shape.at(-1) ?? 0;
  const { runningMean, runningVar } = running;
  for (const [what, array] of Object.entries({ weight: weight.array, bias: bias.array, runningMean, runningVar })) {
    if (sameShape(array.shape, [channels]) && x.rank > 0) continue;
    throw new ShapeError(
      `batchNorm: ${what} has shape ${formatShape(array.shape)}, expected [${channels}] for x ${formatShape(x.shape)}.`,
    );
  }
  if (!runningMean.isDense || !runningVar.isDense) {
    throw new ShapeError('batchNorm: the running statistics are updated in place and must be dense arrays.');
  }
  if (x.size === 0 || (train && x.size === channels)) {
    const needed = train ? 'more than one value' : 'at least one value';
    throw new ShapeError(`batchNorm: ${formatShape(x.shape)} has to hold ${needed} per channel.`);
  }
  if (residual && !sameShape(residual.shape, x.shape)) {
    throw new ShapeError(
      `batchNorm: the residual has shape ${formatShape(residual.shape)}, expected that of x, ${formatShape(x.shape)}.`,
    );
  }
  const input = contiguous(x.array);
  const [scale, shift] = [contiguous(weight.array), contiguous(bias.array)];
  const statistics = train
    ? batchStatistics(input, running, { eps, momentum })
    : { mean: runningMean, spread: runningVar, eps, eval: true };
  const added = residual && contiguous(residual.array);
  const y = applyBatchNorm(input, statistics, { weight: scale, bias: shift, residual: added, relu });
  const inputs = residual ? [x, weight, bias, residual] : [x, weight, bias];
  return record('batchNorm', inputs, y, (grad, [needX, needWeight, needBias], [, intoWeight, intoBias]) => {
    // With a residual the gradient behind the ReLU is needed by itself; otherwise the kernels clip it on the way.
    const dy = residual && relu ? unaryGrad('relu', y, grad) : contiguous(grad);
    const parts = { weight: scale, bias: shift, relu: relu && !residual };
    const needSums = needWeight || needBias || (needX && train);
    const into = normTargets(intoWeight, intoBias);
    const rectified = parts.relu ? parts : undefined;
    const sums = needSums ? normGradSums(input, dy, statistics, 'channel', rectified, into) : undefined;
    const sum = (row: number): NDArray | undefined => sums?.view([channels], [1], sums.offset + row * channels);
    return [
      needX ? batchNormGrad(input, dy, statistics, parts, sums) : undefined,
      needWeight ? (into?.weight ?? sum(1)) : undefined,
      needBias ? (into?.bias ?? sum(0)) : undefined,
      dy,
    ];
  });
}
