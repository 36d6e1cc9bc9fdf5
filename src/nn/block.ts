import { backward, isRecording, noGrad, record } from '../autograd/tape.ts';
import { Tensor } from '../autograd/tensor.ts';
import type { Module } from './module.ts';
import { randomPlace, repeatPass } from './repeat.ts';

/**
 * Runs `forward`, which uses `block` and `inputs` alone. Without gradients (`noGrad`) what it makes on the way is freed
 * at its end. With them, a `checkpointed` block keeps only its inputs and its result, and computes the rest again when
 * the backward pass arrives (Chen et al. 2016, arXiv 1604.06174), for about a third more time. The block repeats the same
 * kernels on the same numbers; only the gradients of an input that is used elsewhere too are added up in another order.
 * @param inputs shapes as `forward` takes them; those that don't require a gradient (masks) get none.
 */
export function runBlock(
  block: Module,
  inputs: readonly Tensor[],
  forward: (...inputs: readonly Tensor[]) => Tensor,
): Tensor {
  const [first] = inputs;
  if (!first || (isRecording() && !block.checkpointed)) return forward(...inputs);
  const place = randomPlace(block);
  const output = first.gpu.scope(() => noGrad(() => forward(...inputs)));
  if (!isRecording()) return output;
  // The parameters are listed so that a block of data without gradient is recorded too; theirs are added below.
  const parameters = [...block.namedParameters()].map(([, parameter]) => parameter.tensor);
  return record('block', [...inputs, ...parameters], output.array, (grad, needs) => {
    const leaves = inputs.map(
      ({ array }, i) => new Tensor(array.view(array.shape, array.strides), { requiresGrad: needs[i] ?? false }),
    );
    repeatPass(block, place, () => backward([forward(...leaves)], [grad]));
    return leaves.map((leaf) => leaf.grad);
  });
}
