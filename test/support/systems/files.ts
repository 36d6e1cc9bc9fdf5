import type { WeightFile } from '../../../src/models/systems/published.ts';
import type { HostArray } from '../../../src/nn/arena.ts';

/** A file of weights in memory. */
export function asFile(state: ReadonlyMap<string, HostArray>, name: string): WeightFile {
  const get = (tensor: string): HostArray => state.get(tensor)!;
  return { name, tensors: { names: () => state.keys(), info: get, tensor: get } };
}
