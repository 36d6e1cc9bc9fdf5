import { backward, reachableNodes } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { ParameterArena } from '../nn/arena.ts';
import type { Module } from '../nn/module.ts';

function countBad(values: Iterable<number>): number {
  let bad = 0;
  for (const value of values) if (!Number.isFinite(value)) bad += 1;
  return bad;
}

async function badElements(tensor: Tensor): Promise<number> {
  return tensor.dtype === 'f32' || tensor.dtype === 'f16' ? countBad(await tensor.data()) : 0;
}

/**
 * Walks the tape of a bad loss from its beginning and describes the first tensor that is not finite: a parameter or
 * input that was bad already, or the operation that made it; undefined if the forward pass is finite. Reads every tensor
 * back: slow, for the post-mortem only.
 */
export async function findNonFinite(loss: Tensor, module: Module): Promise<string | undefined> {
  const names = new Map([...module.namedParameters()].map(([name, parameter]) => [parameter.tensor, name]));
  const describe = (tensor: Tensor): string => `[${tensor.shape.join(', ')}]`;
  const checked = new Set<Tensor>();
  for (const node of reachableNodes([loss]).reverse()) {
    for (const input of node.inputs) {
      if (input.node || checked.has(input)) continue;
      checked.add(input);
      const bad = await badElements(input);
      const name = names.get(input);
      if (bad > 0)
        return `${name ? `parameter ${name}` : `an input of ${node.name}`} ${describe(input)} has ${bad} of them`;
    }
    for (const output of node.outputs) {
      const bad = await badElements(output);
      const weights = node.inputs.flatMap((input) => names.get(input) ?? []);
      const place = weights.length > 0 ? ` with ${weights.join(', ')}` : '';
      if (bad > 0) return `the result of ${node.name}${place} ${describe(output)} has ${bad} of them`;
    }
  }
  return undefined;
}

/** Back-propagates a finite loss and describes the first parameter whose gradient is not finite; undefined if all are. */
export async function findNonFiniteGradient(loss: Tensor, arena: ParameterArena): Promise<string | undefined> {
  arena.zeroGrad();
  backward([loss]);
  for (const [name, { data }] of await arena.gradients()) {
    const bad = countBad(data);
    if (bad > 0) return `the gradient of ${name} has ${bad} of them`;
  }
  return undefined;
}
