import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create, globals } from 'webgpu';
import '../../src/kernels/index.ts';
import { subgroupMatrixFeature } from '../../src/gpu/adapter.ts';
import { PipelineCache } from '../../src/gpu/pipelines.ts';
import type { ElementTypes, RegisteredKernel } from '../../src/kernels/define.ts';
import { registeredKernels } from '../../src/kernels/define.ts';

/** All bindings f32, and all that may be f16. */
function typesOf({ typed }: RegisteredKernel): ElementTypes[] {
  return typed.length > 0 ? [new Map(), new Map(typed.map((binding) => [binding, 'f16']))] : [new Map()];
}

/** Dawn's null backend has every extension and runs nothing, so that it compiles what no device here can run. */
describe('registered kernels', () => {
  let instance: GPU | undefined;
  let device: GPUDevice | undefined;

  beforeAll(async () => {
    Object.assign(globalThis, globals);
    instance = create(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
    const adapter = await instance.requestAdapter();
    device = await adapter!.requestDevice({ requiredFeatures: ['shader-f16', 'subgroups', subgroupMatrixFeature] });
  });
  afterAll(() => {
    device?.destroy();
    // Collected while work is pending, Dawn's instance takes the process down.
    expect(instance).toBeDefined();
  });

  for (const kernel of registeredKernels()) {
    it(`${kernel.name} compiles in every variant without a message`, async () => {
      expect(Object.keys(kernel.variants).length).toBeGreaterThan(0);
      const pipelines = new PipelineCache(device!, true);
      const messages: string[] = [];
      for (const name of Object.keys(kernel.variants)) {
        for (const types of typesOf(kernel)) {
          const found = await pipelines.messages(kernel.program(name, types));
          messages.push(...found.map(({ message, lineNum }) => `${name}, line ${lineNum}: ${message}`));
        }
      }
      expect(messages).toEqual([]);
    });
  }
});
