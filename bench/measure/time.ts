import type { Gpu } from '../../src/gpu/gpu.ts';

/** One measurement: milliseconds per run. */
export interface Sample {
  readonly wallMs: number;
  /** Absent where the device has no timestamps. */
  readonly gpuMs: number | undefined;
  /** JavaScript time to record a run, submissions within it included. */
  readonly jsMs: number;
  readonly dispatches: number;
}

export function hasTimestamps(gpu: Gpu): boolean {
  return gpu.device.features.has('timestamp-query');
}

/** Runs `record` `times` times in scopes of its own, and waits for the GPU. */
export async function timeRuns(gpu: Gpu, record: () => void, times: number): Promise<Sample> {
  await gpu.finish();
  let jsMs = 0;
  const before = gpu.counters.dispatches;
  const body = (): void => {
    const began = performance.now();
    for (let i = 0; i < times; i++) gpu.scope(record);
    jsMs = (performance.now() - began) / times;
  };
  const begin = performance.now();
  let gpuMs: number | undefined;
  if (hasTimestamps(gpu)) {
    const passes = await gpu.timePasses(body);
    gpuMs = passes.reduce((sum, { us }) => sum + us, 0) / 1000 / times;
  } else {
    body();
    await gpu.finish();
  }
  return {
    wallMs: (performance.now() - begin) / times,
    gpuMs,
    jsMs,
    dispatches: (gpu.counters.dispatches - before) / times,
  };
}

/** JavaScript per dispatch in the best round: garbage collection and other processes only add to it. */
export function leastJsMicroseconds(samples: readonly Sample[]): number {
  const each = samples.map(({ jsMs, dispatches }) => (1000 * jsMs) / Math.max(1, dispatches));
  return Math.min(...each);
}
