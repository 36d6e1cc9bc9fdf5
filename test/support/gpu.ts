import { afterAll, beforeAll } from 'vitest';
import { createGpu } from '../../src/gpu/create.node.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';

let shared: Gpu | undefined;

/**
 * The device of this test file: made before its first test, disposed after the last.
 * Set `GROUNDRAY_ADAPTER=swiftshader` to run on that adapter, `GROUNDRAY_DEFAULT_LIMITS=1` for WebGPU's smallest device.
 */
export function useGpu(): () => Gpu {
  beforeAll(async () => {
    shared = await createGpu({ defaultLimits: process.env.GROUNDRAY_DEFAULT_LIMITS === '1' });
  });
  afterAll(() => shared?.dispose());
  return () => {
    if (!shared) throw new Error('useGpu() is only valid inside a test.');
    return shared;
  };
}
