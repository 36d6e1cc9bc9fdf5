import { expect, it } from 'vitest';
import { create, globals } from 'webgpu';
import { subgroupMatrixFeature } from '../../src/gpu/adapter.ts';
import { multipliesMatrices } from '../../src/gpu/matrixProbe.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();

it('says no where a device has no subgroup matrices', async () => {
  if (gpu().device.features.has(subgroupMatrixFeature)) return;
  expect(await multipliesMatrices(gpu().device)).toBe(false);
});

it('does not believe a device that computes nothing', async () => {
  Object.assign(globalThis, globals);
  const instance = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
  const adapter = await instance.requestAdapter();
  const device = await adapter!.requestDevice({ requiredFeatures: ['shader-f16', subgroupMatrixFeature] });
  expect(await multipliesMatrices(device)).toBe(false);
  device.destroy();
  expect(instance).toBeDefined();
});
