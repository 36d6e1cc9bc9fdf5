import { type AdapterSummary, summarizeAdapter } from './adapter.ts';
import { Gpu, type GpuOptions } from './gpu.ts';

/** Tensor cores take part only after `createGpu` has tried them, which cannot be done at once. */
function summaryOf({ adapterInfo, features }: GPUDevice): AdapterSummary {
  return { ...summarizeAdapter(adapterInfo, features), halfMatrices: false };
}

/**
 * Uses a device that the application owns, also beside other engines on it. Nothing is submitted but by `submit`, `flush`,
 * `finish` and what reads or measures; errors of the engine's commands are thrown by its next method and name the kernel
 * (those found only when commands are finished: with `debug`), and those of others never are. `dispose` frees the engine's
 * buffers, without submitting, and leaves the device alive.
 * @param adapter what decides the kernel variants; what the device says of itself if left out.
 */
export function wrapDevice(
  device: GPUDevice,
  adapter: AdapterSummary = summaryOf(device),
  options: GpuOptions = {},
): Gpu {
  return new Gpu(device, adapter, { ...options, borrowed: true });
}
