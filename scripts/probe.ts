/**
 * Prints as JSON what WebGPU offers in Node, with Dawn's own toggles and with those that unlock f16 and tensor cores:
 * adapter, driver, features, limits, subgroup matrices, and whether the latter multiply.
 */
import { create, globals } from 'webgpu';
import { deviceDescriptor, summarizeAdapter } from '../src/gpu/adapter.ts';
import { multipliesMatrices } from '../src/gpu/matrixProbe.ts';

const toggleSets: readonly (readonly string[])[] = [
  [],
  ['allow_unsafe_apis'],
  ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia'],
  ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia', 'use_vulkan_memory_model'],
];

Object.assign(globalThis, globals);
// Dawn's instances must stay reachable for as long as the process lives.
const instances: GPU[] = [];
const found: unknown[] = [];
for (const toggles of toggleSets) {
  const instance = create(toggles.length > 0 ? [`enable-dawn-features=${toggles.join()}`] : []);
  instances.push(instance);
  const adapter = await instance.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter) {
    found.push({ toggles, adapter: null });
    continue;
  }
  const { info, limits, features } = adapter;
  const { vendor, architecture, device: name, description, subgroupMinSize, subgroupMaxSize } = info;
  const { subgroupMatrixConfigs = [] } = info as { readonly subgroupMatrixConfigs?: readonly object[] };
  const limitValues: Record<string, unknown> = {};
  for (const key in limits) {
    const value: unknown = Reflect.get(limits, key);
    if (typeof value === 'number') limitValues[key] = value;
  }
  const device = await adapter.requestDevice(deviceDescriptor(adapter, false));
  found.push({
    toggles,
    adapter: { vendor, architecture, name, description, subgroupMinSize, subgroupMaxSize },
    kind: summarizeAdapter(info, features).kind,
    features: [...features].sort(),
    limits: limitValues,
    subgroupMatrixConfigs: subgroupMatrixConfigs.map((config) => ({ ...config })),
    multipliesMatrices: await multipliesMatrices(device),
  });
  device.destroy();
}
process.stdout.write(`${JSON.stringify({ date: new Date().toISOString(), node: process.version, found }, null, 2)}\n`);
