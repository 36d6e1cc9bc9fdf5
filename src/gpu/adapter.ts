/** Which kind of processor executes the kernels; kernels choose their variants by it. */
export type AdapterKind = 'hardware' | 'software';

/** What is known of the adapter before and after the device is made. */
export interface AdapterSummary {
  readonly kind: AdapterKind;
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  /** Subgroup size that every workgroup has, or 0 where it is not fixed or subgroups are absent. */
  readonly subgroupSize: number;
  /** Whether it multiplies 16 x 16 matrices of f16 and adds up in f32 (tensor cores); tests may have it `emulated`. Absent = no. */
  readonly halfMatrices?: boolean | 'emulated';
}

/** Subgroup matrices are an experiment of Chromium's, which WebGPU's types do not know. */
export const subgroupMatrixFeature = 'chromium-experimental-subgroup-matrix' as GPUFeatureName;

interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

function hasHalfMatrices(info: GPUAdapterInfo, features: GPUSupportedFeatures): boolean {
  const { subgroupMatrixConfigs = [] } = info as { readonly subgroupMatrixConfigs?: readonly SubgroupMatrixConfig[] };
  const fits = subgroupMatrixConfigs.some(
    ({ componentType, resultComponentType, M, N, K }) =>
      componentType === 'f16' && resultComponentType === 'f32' && M === 16 && N === 16 && K === 16,
  );
  return fits && features.has(subgroupMatrixFeature) && features.has('shader-f16');
}

const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|warp|basic render/i;

export function summarizeAdapter(info: GPUAdapterInfo, features: GPUSupportedFeatures): AdapterSummary {
  const text = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  const software = info.isFallbackAdapter || softwareNames.test(text);
  const fixedSubgroup = features.has('subgroups') && info.subgroupMinSize === info.subgroupMaxSize;
  return {
    kind: software ? 'software' : 'hardware',
    vendor: info.vendor,
    architecture: info.architecture,
    // Chromium tells neither description nor device.
    description: info.description || info.device || [info.vendor, info.architecture].filter(Boolean).join(' '),
    subgroupSize: fixedSubgroup ? info.subgroupMaxSize : 0,
    halfMatrices: hasHalfMatrices(info, features),
  };
}

/** Whether the same kernels run on both, and compile to the same. */
export function isSameAdapter(a: AdapterSummary, b: AdapterSummary): boolean {
  const fields = ['kind', 'vendor', 'architecture', 'description', 'subgroupSize', 'halfMatrices'] as const;
  return fields.every((field) => a[field] === b[field]);
}

/** One line for people: `llvmpipe: Mesa 25.0.7 (software adapter)`. */
export function describeAdapter(summary: AdapterSummary): string {
  return `${summary.description || summary.vendor} (${summary.kind} adapter)`;
}

const wantedFeatures: readonly GPUFeatureName[] = ['subgroups', 'shader-f16', subgroupMatrixFeature, 'timestamp-query'];

const wantedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
] as const satisfies readonly (keyof GPUSupportedLimits)[];

/**
 * The descriptor that asks an adapter for all the engine can use.
 * `defaultLimits` asks for nothing, so that the device has exactly WebGPU's guaranteed limits and features.
 */
export function deviceDescriptor(adapter: GPUAdapter, defaultLimits: boolean): GPUDeviceDescriptor {
  if (defaultLimits) return { label: 'groundray' };
  const requiredLimits: Record<string, number> = {};
  for (const name of wantedLimits) {
    const value = adapter.limits[name];
    if (typeof value === 'number') requiredLimits[name] = value;
  }
  return {
    label: 'groundray',
    requiredFeatures: wantedFeatures.filter((feature) => adapter.features.has(feature)),
    requiredLimits,
  };
}
