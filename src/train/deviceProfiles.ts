import type { Cost } from '../gpu/pipelines.ts';

/** How fast a device is at best. */
export interface DeviceProfile {
  readonly name: string;
  /** Where the numbers are from: `nominal` from data sheets, `measured` by the benchmark. */
  readonly source: 'nominal' | 'measured';
  /** f32 operations and bytes per second. */
  readonly flops: number;
  readonly bandwidth: number;
}

const nominal = (name: string, teraflops: number, gigabytes: number): DeviceProfile => ({
  name,
  source: 'nominal',
  flops: teraflops * 1e12,
  bandwidth: gigabytes * 1e9,
});

/** f32 arithmetic without tensor cores, and memory bandwidth, as the makers' data sheets give them. */
export const nominalProfiles: readonly DeviceProfile[] = [
  nominal('rtx-3070', 20.3, 448),
  nominal('rtx-4090', 82.6, 1008),
  nominal('a100', 19.5, 1555),
  nominal('h100', 66.9, 3352),
  nominal('apple-m2', 3.6, 100),
];

/** Share of a device's best that is assumed, since no kernel reaches all of it. */
export const assumedEfficiency = 0.4;
/** Seconds between dispatches that are assumed: a barrier, and little kernels that do not fill the device. */
export const assumedDispatchSeconds = 5e-6;

/**
 * Seconds of a step: each dispatch takes the longer of its arithmetic and its memory traffic (the roofline of Williams et
 * al. 2009) at a share `efficiency` of the device's best, and a fixed time besides.
 */
export function estimateSeconds(
  dispatches: readonly Cost[],
  { flops, bandwidth }: DeviceProfile,
  efficiency: number = assumedEfficiency,
): number {
  const ideal = dispatches.reduce((sum, cost) => sum + Math.max(cost.flops / flops, cost.bytes / bandwidth), 0);
  return ideal / efficiency + dispatches.length * assumedDispatchSeconds;
}
