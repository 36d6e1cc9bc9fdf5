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
      const runnable = names.filter((name) => supportsVariant(kernel.variants[name]!, device, adapter));
      const messages = await Promise.all(
        runnable.map(async (name) =>
          (await pipelines.compile(kernel.program(name))).map(({ message }) => `${name}: ${message}`),
        ),
      );
      expect(messages.flat()).toEqual([]);
    });
  }
});
