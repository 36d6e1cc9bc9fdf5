import { ShapeError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import { accumulate, binary } from '../kernels/binary.ts';
import { cast } from '../kernels/cast.ts';
import { contiguous, copy, copyInto } from '../kernels/copy.ts';
import { fill } from '../kernels/fill.ts';
import type { NDArray, ResultTarget } from '../kernels/ndarray.ts';
import { formatShape, sameShape } from '../kernels/shape.ts';
import { Tensor } from './tensor.ts';

/**
 * Gradients of the inputs from those of the outputs (undefined for an output that nothing depends on).
 * `needs[i]` tells whether input i wants a gradient; entries that are not needed may be undefined. A gradient may be
 * written to `targets[i]` and is then returned as that very array; to use a target is never required.
 */
export type Vjp = (
  grads: readonly (NDArray | undefined)[],
  needs: readonly boolean[],
  targets: readonly (ResultTarget | undefined)[],
) => readonly (NDArray | undefined)[];

/** One recorded operation. */
export interface Node {
  /** Position on the tape: an operation only depends on earlier ones. */
  readonly order: number;
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly vjp: Vjp;
}

let nextOrder = 0;
let gradDisabled = 0;

/** Runs `body` without recording: its results need no gradient. */
export function noGrad<T>(body: () => T): T {
  gradDisabled += 1;
  try {
    return body();
  } finally {
    gradDisabled -= 1;
  }
}

/** Whether operations are recorded, that is, outside `noGrad`. */
export function isRecording(): boolean {
  return gradDisabled === 0;
}

/** Puts an operation with several outputs on the tape. */
export function recordMany(name: string, inputs: readonly Tensor[], outputs: readonly NDArray[], vjp: Vjp): Tensor[] {
  if (gradDisabled > 0 || !inputs.some((input) => input.requiresGrad)) return outputs.map((array) => new Tensor(array));
  const results: Tensor[] = [];
  const node: Node = { order: nextOrder++, name, inputs, outputs: results, vjp };
  for (const array of outputs) results.push(new Tensor(array, { node }));
  return results;
}

/** Puts an operation with one output on the tape; its `vjp` always gets a gradient. */
export function record(
  name: string,
  inputs: readonly Tensor[],
  output: NDArray,
  vjp: (
    grad: NDArray,
    needs: readonly boolean[],
    targets: readonly (ResultTarget | undefined)[],
  ) => readonly (NDArray | undefined)[],
): Tensor {
  const [result] = recordMany(name, inputs, [output], ([grad], needs, targets) =>
    grad ? vjp(grad, needs, targets) : [],
  );
  if (!result) throw new Error(`${name} has no output.`);
  return result;
}

/** Every operation that `roots` depend on, latest first. */
export function reachableNodes(roots: readonly Tensor[]): Node[] {
  const seen = new Set<Node>();
  const pending = roots.flatMap((root) => root.node ?? []);
  for (let node = pending.pop(); node; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const input of node.inputs) if (input.node) pending.push(input.node);
  }
  return [...seen].sort((a, b) => b.order - a.order);
}

/** Gradients on their way through the tape; each array in it is owned here and disposed once consumed. */
class PendingGradients {
  private readonly byTensor = new Map<Tensor, NDArray>();

  add(target: Tensor, grad: NDArray): void {
    const known = this.byTensor.get(target);
    if (!known) {
      this.byTensor.set(target, grad);
      return;
    }
    this.byTensor.set(target, binary('add', known, grad));
    known.dispose();
    grad.dispose();
  }

  /** The gradient so far, if nothing else sees its memory, to add to in place. */
  target(tensor: Tensor): ResultTarget | undefined {
    const array = this.byTensor.get(tensor);
    return array?.isDense && !array.isShared ? { array, accumulate: true } : undefined;
  }

  take(target: Tensor): NDArray | undefined {
    const grad = this.byTensor.get(target);
    this.byTensor.delete(target);
    return grad;
  }
}

/** Where the next gradient of `input` may be written: a leaf's own, or what it has got from other operations. */
function targetOf(input: Tensor, pending: PendingGradients): ResultTarget | undefined {
  if (input.node) return pending.target(input);
  return input.grad?.isDense ? { array: input.grad, accumulate: !input.gradIsUnset } : undefined;
}

function addToLeaf(gpu: Gpu, leaf: Tensor, grad: NDArray): void {
  if (leaf.grad) {
    if (leaf.gradIsUnset) copyInto(grad, leaf.grad);
    else accumulate(leaf.grad, grad);
    leaf.gradIsUnset = false;
    grad.dispose();
    return;
  }
  leaf.grad = grad.isShared ? copy(grad) : contiguous(grad);
  if (leaf.grad !== grad) grad.dispose();
  // The gradient lives as long as its leaf.
  gpu.scopes.follow(leaf.grad, leaf.array);
}

/** A gradient in the float type of its tensor, whatever precision it was computed in. */
function withDtype(grad: NDArray, { dtype }: Tensor): NDArray {
  if (grad.dtype === dtype || (dtype !== 'f16' && dtype !== 'f32')) return grad;
  const result = cast(grad, dtype);
  grad.dispose();
  return result;
}

/**
 * Back-propagates from `outputs` and adds to `grad` of every leaf that requires one.
 * @param upstream gradient of each output; may be left out for scalars, where it is 1.
 * @throws ShapeError if an upstream gradient is missing or has another shape than its output.
 */
export function backward(outputs: readonly Tensor[], upstream: readonly (NDArray | undefined)[] = []): void {
  const [first] = outputs;
  if (!first) return;
  const { gpu } = first;
  const pending = new PendingGradients();
  for (const [i, output] of outputs.entries()) {
    const given = upstream[i];
    if (given && !sameShape(given.shape, output.shape)) {
      throw new ShapeError(
        `backward: gradient ${i} has shape ${formatShape(given.shape)}, its output ${formatShape(output.shape)}.`,
      );
    }
    if (!given && output.size !== 1) {
      throw new ShapeError(`backward: output ${i} has ${output.size} elements; pass its upstream gradient.`);
    }
    if (output.requiresGrad) {
      pending.add(output, given ? given.view(given.shape, given.strides) : fill(gpu, output.shape, 1));
    }
  }
  const settle = (target: Tensor): void => {
    if (target.node) return;
    const grad = pending.take(target);
    if (grad) addToLeaf(gpu, target, grad);
  };
  for (const output of outputs) settle(output);
  for (const node of reachableNodes(outputs)) {
    const grads = node.outputs.map((output) => pending.take(output));
    if (grads.every((grad) => grad === undefined)) continue;
    const needs = node.inputs.map((input) => input.requiresGrad);
    const targets = node.inputs.map((input, i) =>
      needs[i] && node.inputs.indexOf(input) === i ? targetOf(input, pending) : undefined,
    );
    const written = (i: number, grad: NDArray): boolean => grad === targets[i]?.array;
    const inputGrads = gpu.scope(() => {
      const made = node.vjp(grads, needs, targets);
      // A gradient may be passed on as it is, or twice; each receiver owns a handle of its own.
      return made.map((grad, i) => {
        if (!grad || !needs[i] || written(i, grad)) return grad;
        return grad.view(grad.shape, grad.strides);
      });
    });
    for (const grad of grads) grad?.dispose();
    for (const [i, input] of node.inputs.entries()) {
      const grad = inputGrads[i];
      if (!grad || !needs[i]) continue;
      if (written(i, grad)) {
        input.gradIsUnset = false;
        continue;
      }
      if (!sameShape(grad.shape, input.shape)) {
        throw new ShapeError(
          `${node.name}: the gradient of input ${i} has shape ${formatShape(grad.shape)}, expected ${formatShape(input.shape)}.`,
        );
      }
      pending.add(input, withDtype(grad, input));
      settle(input);
    }
  }
}
