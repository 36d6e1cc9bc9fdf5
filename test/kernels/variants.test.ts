import { describe, expect, it } from 'vitest';
import '../../src/kernels/index.ts';
import { registeredKernels, supportsVariant } from '../../src/kernels/define.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();

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
        const found = await pipelines.messages(kernel.program(name));
        messages.push(...found.map(({ message, lineNum }) => `${name}, line ${lineNum}: ${message}`));
      }
      expect(messages).toEqual([]);
    });
  }
});
