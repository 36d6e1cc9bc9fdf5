import { reachableNodes } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Module } from '../nn/module.ts';

async function badElements(tensor: Tensor): Promise<number> {
  if (tensor.dtype !== 'f32') return 0;
  const values = await tensor.data();
  let bad = 0;
  for (const value of values) if (!Number.isFinite(value)) bad += 1;
  return bad;
}

/**
 * Walks the tape of a bad loss from its beginning and describes the first tensor that is not finite: a parameter or
 * input that was bad already, or the operation that made it. Reads every tensor back: slow, for the post-mortem only.
 */
export async function findNonFinite(loss: Tensor, module: Module): Promise<string> {
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
  return 'no tensor of the forward pass has any when it is repeated';
}
