import { afterAll, beforeAll, describe } from 'vitest';
import type { AdapterKind } from '../../src/gpu/adapter.ts';
import { createGpu } from '../../src/gpu/create.node.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { wrapDevice } from '../../src/gpu/wrap.ts';

/**
 * Describes the same behaviour twice: with the kernel variants for software adapters and with those for hardware,
 * whatever the device of this machine is.
 */
export function describeKinds(title: string, body: (gpu: () => Gpu, kind: AdapterKind) => void): void {
  for (const kind of ['software', 'hardware'] satisfies AdapterKind[]) {
    describe(`${title}, ${kind} variants`, () => {
      let device: Gpu | undefined;
      let gpu: Gpu | undefined;
      beforeAll(async () => {
        device = await createGpu({ defaultLimits: process.env.GROUNDRAY_DEFAULT_LIMITS === '1' });
        gpu = wrapDevice(device.device, { ...device.adapter, kind });
      });
      afterAll(() => {
        gpu?.dispose();
        device?.dispose();
      });
      body(() => {
        if (!gpu) throw new Error('The Gpu of describeKinds() is only valid inside a test.');
        return gpu;
      }, kind);
    });
  }
}
