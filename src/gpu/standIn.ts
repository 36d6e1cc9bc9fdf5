import type { AdapterSummary } from './adapter.ts';
import { Gpu } from './gpu.ts';

/** Limits that decide what the engine asks a device for. */
export type PlanLimits = Pick<
  GPUSupportedLimits,
  | 'maxBufferSize'
  | 'maxStorageBufferBindingSize'
  | 'maxStorageBuffersPerShaderStage'
  | 'maxComputeWorkgroupStorageSize'
  | 'maxComputeInvocationsPerWorkgroup'
>;

/** Everything that decides which kernels run and what memory they take. */
export interface StandInDevice {
  readonly adapter: AdapterSummary;
  readonly limits: PlanLimits;
  readonly features: readonly GPUFeatureName[];
}

/** What current graphics cards of any maker offer through WebGPU. */
export const commonCard: StandInDevice = {
  adapter: {
    kind: 'hardware',
    vendor: '',
    architecture: '',
    description: 'a graphics card',
    subgroupSize: 32,
  },
  limits: {
    maxBufferSize: 2 ** 31 - 4,
    maxStorageBufferBindingSize: 2 ** 31 - 4,
    maxStorageBuffersPerShaderStage: 10,
    maxComputeWorkgroupStorageSize: 32_768,
    maxComputeInvocationsPerWorkgroup: 1024,
  },
  features: ['subgroups', 'shader-f16'],
};

/** A stand-in for the device of a Gpu, so that what it does can be planned: see `standInGpu`. */
export function deviceLike({ device, adapter }: Gpu): StandInDevice {
  const features = [...device.features] as GPUFeatureName[];
  return { adapter, limits: device.limits, features };
}

function standInBuffer({ size }: GPUBufferDescriptor) {
  const nothing = (): void => undefined;
  return {
    size,
    mapAsync: () => Promise.resolve(),
    // Mapped ranges are short-lived and small beside what is not allocated here.
    getMappedRange: () => new ArrayBuffer(size),
    unmap: nothing,
    destroy: nothing,
  };
}

function standInEncoder() {
  const nothing = (): void => undefined;
  const pass = {
    setPipeline: nothing,
    setBindGroup: nothing,
    setImmediates: nothing,
    dispatchWorkgroups: nothing,
    end: nothing,
  };
  return { beginComputePass: () => pass, copyBufferToBuffer: nothing, finish: () => ({}) };
}

/** WebGPU's globals that the engine reads, for processes in which nothing has provided them. */
function provideGlobals(): void {
  const globals = {
    GPUBufferUsage: { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, UNIFORM: 64, STORAGE: 128 },
    GPUMapMode: { READ: 1 },
    GPUShaderStage: { COMPUTE: 4 },
    GPUComputePassEncoder: class {},
    GPUOutOfMemoryError: class {},
  };
  const missing = Object.entries(globals).filter(([name]) => !(name in globalThis));
  Object.assign(globalThis, Object.fromEntries(missing));
}

/**
 * A Gpu that runs nothing and allocates nothing, but records and counts like one on the described device: the same
 * kernels (`onDispatch`) and the same bytes (`memoryReport`). What is read back from it is 0. Needs no WebGPU.
 */
export function standInGpu({ adapter, limits, features }: StandInDevice = commonCard): Gpu {
  provideGlobals();
  const nothing = (): void => undefined;
  const empty = (): object => ({});
  const device = {
    limits,
    features: new Set(features),
    lost: new Promise(nothing),
    queue: { submit: nothing, writeBuffer: nothing, onSubmittedWorkDone: () => Promise.resolve() },
    createBuffer: standInBuffer,
    createCommandEncoder: standInEncoder,
    createShaderModule: empty,
    createPipelineLayout: empty,
    createComputePipeline: empty,
    createBindGroupLayout: empty,
    createBindGroup: empty,
    addEventListener: nothing,
    removeEventListener: nothing,
    destroy: nothing,
  };
  return new Gpu(device as unknown as GPUDevice, adapter);
}
