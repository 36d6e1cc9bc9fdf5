import { ShapeError } from '../../gpu/errors.ts';
import { contiguous } from '../../kernels/copy.ts';
import { layerNorm as layerNormArrays, layerNormGrad } from '../../kernels/layerNorm.ts';
import { normGradSums, normTargets } from '../../kernels/normGradSums.ts';
import { formatShape, sameShape } from '../../kernels/shape.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * Layer normalisation over the last axis (Ba, Kiros and Hinton, arXiv 1607.06450):
 * `y = (x - mean) / sqrt(variance + eps) * weight + bias`, biased variance, for `x` `[..., width]`, all else `[width]`.
 * @throws ShapeError if `weight` or `bias` does not fit `x`, or `x` is empty.
 */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, eps: number): Tensor {
  const width = x.shape.at(-1) ?? 0;
  for (const [what, parameter] of Object.entries({ weight, bias })) {
    if (sameShape(parameter.shape, [width]) && x.rank > 0) continue;
    throw new ShapeError(
      `layerNorm: ${what} has shape ${formatShape(parameter.shape)}, expected [${width}] for x ${formatShape(x.shape)}.`,
    );
  }
  if (x.size === 0) throw new ShapeError(`layerNorm: x ${formatShape(x.shape)} has no elements.`);
  const input = contiguous(x.array);
  const scale = contiguous(weight.array);
  const { y, statistics } = layerNormArrays(input, scale, contiguous(bias.array), eps);
  return record('layerNorm', [x, weight, bias], y, (grad, [needX, needWeight, needBias], [, intoWeight, intoBias]) => {
    const dy = contiguous(grad);
    const into = normTargets(intoWeight, intoBias);
    const sums = needWeight || needBias ? normGradSums(input, dy, statistics, 'row', undefined, into) : undefined;
    return [
      needX ? layerNormGrad(input, dy, statistics, scale) : undefined,
      needWeight ? (into?.weight ?? sums?.view([width], [1], sums.offset + width)) : undefined,
      needBias ? (into?.bias ?? sums?.view([width], [1], sums.offset)) : undefined,
    ];
  });
}
