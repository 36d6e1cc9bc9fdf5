import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { Scoped } from '../../../src/gpu/scope.ts';
import type { NDArray } from '../../../src/kernels/ndarray.ts';
import type { HostTensors } from '../host.ts';

/** Work of our engine: `record` only records kernels, so it can be run eagerly or captured once and replayed. */
export interface Work {
  /** The host's part of a run, which a capture does not hold: the step number of an optimizer. */
  readonly advance?: () => void;
  readonly record: () => Readonly<Record<string, NDArray>>;
  /** Lives as long as the work. */
  readonly owned: readonly Scoped[];
}

export type WorkOf = (gpu: Gpu, inputs: HostTensors) => Work;
