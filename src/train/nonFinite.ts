import { type Node, reachableNodes } from '../autograd/tape.ts';
import type { Tensor } from '../autograd/tensor.ts';
import type { Gpu } from '../gpu/gpu.ts';
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
 * Makes a tape, walks it from its beginning and describes the first tensor that is not finite: a parameter or input that
 * was bad already, or the operation that made it; undefined if all are finite. Reads every tensor back and frees what
 * `tape` made: slow, for the post-mortem only.
 * @param tape runs a forward pass and returns its results
 */
export async function findNonFinite(
  gpu: Gpu,
  tape: () => readonly Tensor[],
  module: Module,
): Promise<string | undefined> {
  const names = new Map([...module.namedParameters()].map(([name, parameter]) => [parameter.tensor, name]));
  const { nodes, handles } = gpu.scope(() => {
    const reached = reachableNodes(tape()).reverse();
    const tensors = new Set(reached.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]));
    // Further handles, since some of the tensors belong to the caller.
    return { nodes: () => reached, handles: new Map([...tensors].map((tensor) => [tensor, tensor.detach()])) };
  });
  try {
    return await firstBad(nodes(), names, (tensor) => badElements(handles.get(tensor) ?? tensor));
  } finally {
    for (const handle of handles.values()) handle.dispose();
  }
}

async function firstBad(
  nodes: readonly Node[],
  names: ReadonlyMap<Tensor, string>,
  count: (tensor: Tensor) => Promise<number>,
): Promise<string | undefined> {
  const describe = (tensor: Tensor): string => `[${tensor.shape.join(', ')}]`;
  const checked = new Set<Tensor>();
  for (const node of nodes) {
    for (const input of node.inputs) {
      if (input.node || checked.has(input)) continue;
      checked.add(input);
      const bad = await count(input);
      const name = names.get(input);
      if (bad > 0)
        return `${name ? `parameter ${name}` : `an input of ${node.name}`} ${describe(input)} has ${bad} of them`;
    }
    for (const output of node.outputs) {
      const bad = await count(output);
      const weights = node.inputs.flatMap((input) => names.get(input) ?? []);
      const listed = weights.length > 3 ? [...weights.slice(0, 3), '...'] : weights;
      const place = weights.length > 0 ? ` with ${listed.join(', ')}` : '';
      if (bad > 0) return `the result of ${node.name}${place} ${describe(output)} has ${bad} of them`;
    }
  }
  return undefined;
}

/**
 * Runs `pass`, which adds to the gradients of an arena, and describes the first parameter whose gradient is not finite;
 * undefined if all are.
 */
export async function findNonFiniteGradient(arena: ParameterArena, pass: () => void): Promise<string | undefined> {
  arena.gpu.scope(() => {
    arena.zeroGrad();
    pass();
  });
  for (const [name, { data }] of await arena.gradients()) {
    const bad = countBad(data);
    if (bad > 0) return `the gradient of ${name} has ${bad} of them`;
  }
  return undefined;
}
