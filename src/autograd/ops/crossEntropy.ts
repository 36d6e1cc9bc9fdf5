import { crossEntropy as crossEntropyArrays, crossEntropyGrad } from '../../kernels/crossEntropy.ts';
import { reduce } from '../../kernels/reduce.ts';
import { record } from '../tape.ts';
import type { Tensor } from '../tensor.ts';

/**
 * `-log softmax(logits)[label]` per row, then its mean, its sum or nothing.
 * @param logits `[rows, classes]`
 * @param labels i32 `[rows]`; values outside `[0, classes)` are clamped, so check them where they come from.
 * @throws ShapeError if the shapes do not fit, or for a mean over no rows.
 */
export function crossEntropy(logits: Tensor, labels: Tensor, reduction: 'mean' | 'sum' | 'none' = 'mean'): Tensor {
  const { loss, stats } = crossEntropyArrays(logits.array, labels.array);
  const y = reduction === 'none' ? loss : reduce(reduction, loss, null);
  const scale = reduction === 'mean' ? 1 / (logits.shape[0] ?? 1) : 1;
  return record('crossEntropy', [logits], y, (dy) => [crossEntropyGrad(logits.array, labels.array, stats, dy, scale)]);
}
