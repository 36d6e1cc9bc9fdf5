import type { Gpu } from './gpu.ts';

/** One dispatch on the GPU's own clock, with the work that it stands for. */
export interface ProfiledDispatch {
  /** Kernel and variant, e.g. `matmul/tile64-vec4-nt`. */
  readonly name: string;
  /** Microseconds from the beginning of the first dispatch. */
  readonly startUs: number;
  readonly us: number;
  readonly flops: number;
  /** Bytes that an ideal implementation moves. */
  readonly bytes: number;
}

/** All dispatches of one kernel, or of one of its variants. */
export interface KernelTime {
  readonly name: string;
  readonly count: number;
  readonly ms: number;
  /** Of the time of all dispatches, 0 to 1. */
  readonly share: number;
  readonly gflops: number;
  readonly gigabytesPerSecond: number;
}

/**
 * Runs `body` with a compute pass per dispatch and returns the GPU time of each, in order. Passes keep the GPU from
 * overlapping small kernels, so the sum may exceed the time of the same work without a profile.
 * @throws GpuError if the device has no timestamp queries.
 */
export async function profile(gpu: Gpu, body: () => void | Promise<void>): Promise<ProfiledDispatch[]> {
  const recorded: Omit<ProfiledDispatch, 'startUs' | 'us'>[] = [];
  const stop = gpu.onDispatch(({ name, cost }, params) => recorded.push({ name, ...cost(params) }));
  try {
    const spans = await gpu.timePasses(body, { perDispatch: true });
    return recorded.map((dispatch, i) => ({ ...dispatch, ...(spans[i] ?? { startUs: 0, us: 0 }) }));
  } finally {
    stop();
  }
}

/** Adds dispatches up, by kernel (`matmul`) or by kernel and variant, longest first. */
export function rollUp(dispatches: readonly ProfiledDispatch[], by: 'kernel' | 'variant'): KernelTime[] {
  const sums = new Map<string, { count: number; us: number; flops: number; bytes: number }>();
  for (const { name, us, flops, bytes } of dispatches) {
    const key = by === 'kernel' ? (name.split('/')[0] ?? name) : name;
    const sum = sums.get(key) ?? { count: 0, us: 0, flops: 0, bytes: 0 };
    sums.set(key, {
      count: sum.count + 1,
      us: sum.us + us,
      flops: sum.flops + flops,
      bytes: sum.bytes + bytes,
    });
  }
  const total = [...sums.values()].reduce((all, { us }) => all + us, 0);
  return [...sums]
    .map(([name, { count, us, flops, bytes }]) => ({
      name,
      count,
      ms: us / 1000,
      share: total > 0 ? us / total : 0,
      gflops: us > 0 ? flops / us / 1000 : 0,
      gigabytesPerSecond: us > 0 ? bytes / us / 1000 : 0,
    }))
    .sort((a, b) => b.ms - a.ms);
}

/** The dispatches in the JSON of Chrome's trace viewer (chrome://tracing, ui.perfetto.dev). */
export function chromeTrace(dispatches: readonly ProfiledDispatch[]): string {
  const traceEvents = dispatches.map(({ name, startUs, us, flops, bytes }) => ({
    name,
    cat: 'gpu',
    // A complete event: one with a duration.
    ph: 'X',
    pid: 0,
    tid: 0,
    ts: startUs,
    dur: us,
    args: { flops, bytes },
  }));
  return JSON.stringify({ displayTimeUnit: 'ms', traceEvents });
}
