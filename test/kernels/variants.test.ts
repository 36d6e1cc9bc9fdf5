import { describe, expect, it } from 'vitest';
import '../../src/kernels/index.ts';
import type { ElementTypes, RegisteredKernel } from '../../src/kernels/define.ts';
import { registeredKernels, supportsVariant } from '../../src/kernels/define.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();

/** All bindings f32 and, where the device has f16, all that may be f16. */
function typesOf({ typed }: RegisteredKernel, device: GPUDevice): ElementTypes[] {
  const half = new Map(typed.map((binding) => [binding, 'f16' as const]));
  return half.size > 0 && device.features.has('shader-f16') ? [new Map(), half] : [new Map()];
}

describe('registered kernels', () => {
  for (const kernel of registeredKernels()) {
    it(`${kernel.name} compiles in every variant without a message`, async () => {
      const { device, adapter, pipelines } = gpu();
      const names = Object.keys(kernel.variants);
      expect(names.length).toBeGreaterThan(0);
      const messages: string[] = [];
      for (const name of names) {
        // An extension that the device lacks cannot be compiled; whatever else a variant needs is no matter of WGSL.
        if (!supportsVariant({ features: kernel.variants[name]!.features ?? [] }, device, adapter)) continue;
        for (const types of typesOf(kernel, device)) {
          const found = await pipelines.messages(kernel.program(name, types));
          messages.push(...found.map(({ message, lineNum }) => `${name}, line ${lineNum}: ${message}`));
        }
      }
      expect(messages).toEqual([]);
    });
  }
});
