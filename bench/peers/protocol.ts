import type { AdapterSummary } from '../../src/gpu/adapter.ts';
import type { WorkloadName } from './workloads.ts';

export const peerAdapters = ['auto', 'gpu', 'software', 'swiftshader'] as const;
export type PeerAdapter = (typeof peerAdapters)[number];

/**
 * Who is measured. `groundray-replayed` is our engine with the work captured once and replayed. PyTorch is the
 * yardstick, not a peer: it does not run on WebGPU.
 */
export const contenders = [
  'groundray',
  'groundray-replayed',
  'jax-js',
  'tfjs',
  'onnxruntime',
  'webgpu-torch',
  'pytorch',
  'pytorch-tf32',
  'pytorch-amp',
] as const;
export type Contender = (typeof contenders)[number];

export interface StartOptions {
  readonly contender: Contender;
  readonly adapter: PeerAdapter;
  /** Dawn's validation, bounds checks and zeroed workgroup memory stay on, as in a browser. */
  readonly checks: boolean;
}

/** What the suite asks of the process or page in which one library lives. One request at a time. */
export type Request =
  | { readonly kind: 'start'; readonly options: StartOptions }
  | { readonly kind: 'prepare'; readonly workload: WorkloadName }
  | { readonly kind: 'time'; readonly runs: number }
  | { readonly kind: 'dispose' };

/** At most `maxSamples` elements of a result, taken at equal distances, and how many there were. */
export interface SampledResult {
  readonly length: number;
  readonly samples: ArrayLike<number>;
}

export type Reply =
  | { readonly kind: 'started'; readonly adapter: AdapterSummary }
  /** A library that does not run on WebGPU, with its version and device. */
  | { readonly kind: 'started'; readonly version: string }
  | {
      readonly kind: 'prepared';
      /** How the library was used. */
      readonly note: string;
      /** The first run, in which kernels are compiled. */
      readonly firstMs: number;
      /** A later run; tells how often a measurement has to repeat the work. */
      readonly onceMs: number;
      readonly results: Readonly<Record<string, SampledResult>>;
    }
  | { readonly kind: 'timed'; readonly ms: number }
  | { readonly kind: 'disposed' }
  | { readonly kind: 'unsupported'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

export const maxSamples = 65_536;

/** Elements at equal distances, so that results of 100 MB can be compared without sending them. */
export function sample(values: ArrayLike<number>): SampledResult {
  const count = Math.min(values.length, maxSamples);
  const samples = Float64Array.from({ length: count }, (_, i) => {
    return values[Math.floor((i * values.length) / count)] ?? Number.NaN;
  });
  return { length: values.length, samples };
}
