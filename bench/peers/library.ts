import type { AdapterSummary } from '../../src/gpu/adapter.ts';
import type { HostTensors } from './host.ts';
import type { WorkloadName } from './workloads.ts';

/** Results by name, row-major, with channels last, as the reference has them. */
export type Results = Readonly<Record<string, ArrayLike<number>>>;

/** A workload with its inputs on the GPU and everything compiled that can be compiled before the first run. */
export interface Prepared {
  /** How the library was used, for the report. */
  readonly note: string;
  /** Starts the work once; may return before the GPU is done. */
  run(): void | Promise<void>;
  /** Waits until the GPU has done everything that was started. */
  sync(): Promise<void>;
  /** Results of the latest run. */
  results(): Promise<Results>;
  dispose(): void | Promise<void>;
}

/** One library on the GPU that the benchmark uses. */
export interface Library {
  readonly adapter: AdapterSummary;
  /** @throws Unsupported if the library lacks an operation of the workload. */
  prepare(workload: WorkloadName, inputs: HostTensors): Promise<Prepared>;
}

/** A library cannot do a workload; the message says what is missing. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}

type Build = (inputs: HostTensors) => Promise<Prepared>;

/** Workloads of a library, and why it lacks the others. */
export type WorkloadTable = Readonly<Partial<Record<WorkloadName, Build | string>>>;

export async function prepareFrom(
  table: WorkloadTable,
  workload: WorkloadName,
  inputs: HostTensors,
): Promise<Prepared> {
  const build = table[workload] ?? 'This workload was not written for the library.';
  if (typeof build === 'string') throw new Unsupported(build);
  return build(inputs);
}
