import { deviceDescriptor, summarizeAdapter } from './adapter.ts';
import { GpuError } from './errors.ts';
import type { GpuOptions } from './gpu.ts';
import { Gpu } from './gpu.ts';
import { multipliesMatrices } from './matrixProbe.ts';

/** Which adapter `createGpu` takes, and what it asks of it. */
export interface CreateGpuOptions extends GpuOptions {
  readonly powerPreference?: GPUPowerPreference;
  /** Fail unless the adapter is real hardware. */
  readonly requireHardware?: boolean;
  /** Ask for WebGPU's guaranteed limits only, without optional features. */
  readonly defaultLimits?: boolean;
}

/**
 * Makes a Gpu from a WebGPU entry point such as `navigator.gpu`.
 * @param reopen how `recover` makes the next one; from the same entry with the same options if left out.
 * @throws GpuError if no adapter fits.
 */
export async function createGpuFrom(
  entry: GPU,
  options: CreateGpuOptions = {},
  reopen: () => Promise<Gpu> = () => createGpuFrom(entry, options),
): Promise<Gpu> {
  const adapter = await entry.requestAdapter({ powerPreference: options.powerPreference ?? 'high-performance' });
  if (!adapter) throw new GpuError('WebGPU found no adapter. Update the graphics driver, or enable WebGPU.');
  const summary = summarizeAdapter(adapter.info, adapter.features);
  if (options.requireHardware && summary.kind === 'software') {
    throw new GpuError(
      `A hardware GPU is required, but only this was found: ${summary.description}. ` +
        'Install the driver of the graphics card (on Linux with its Vulkan library), or run without --gpu.',
    );
  }
  const device = await adapter.requestDevice(deviceDescriptor(adapter, options.defaultLimits ?? false));
  const halfMatrices = summary.halfMatrices ? await multipliesMatrices(device) : false;
  return new Gpu(device, { ...summary, halfMatrices }, options, reopen);
}

/** Makes a Gpu in a browser. @throws GpuError if the browser has no WebGPU or no adapter. */
export async function createGpu(options: CreateGpuOptions = {}): Promise<Gpu> {
  if (typeof navigator === 'undefined' || !navigator.gpu) {
    throw new GpuError('This browser has no WebGPU. Use a current Chrome, Edge, Safari or Firefox.');
  }
  return createGpuFrom(navigator.gpu, options);
}
