import { describe, expect, it } from 'vitest';
import { resNetLayers } from '../../bench/conv2d.ts';
import { randomArray } from '../../bench/harness.ts';
import type { Visit } from '../../bench/measure/rounds.ts';
import { collectKernelCases } from '../../bench/suites/kernels.ts';
import { leaveOutFailing } from '../../bench/suites/suite.ts';
import { GpuError } from '../../src/gpu/errors.ts';
import { resNet50Config } from '../../src/models/resnet.ts';
import { useGpu } from '../support/gpu.ts';

const options = { only: '', batches: undefined, rounds: undefined, browser: false };

describe('the cases', () => {
  const gpu = useGpu();

  it('have names that tell them apart, over all operations and batches', async () => {
    const names = (await collectKernelCases(options, 'hardware')).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(300);
  });

  it('are chosen by name, by family and by batch', async () => {
    const found = await collectKernelCases({ ...options, only: 'layernorm', batches: [2] }, 'software');
    expect(found.map(({ family }) => family)).toEqual(found.map(() => 'layerNorm'));
    expect(found.some(({ name }) => name === 'layerNorm 256x768, input gradient')).toBe(true);
    expect(await collectKernelCases({ ...options, only: 'no such case' }, 'software')).toEqual([]);
  });

  it('hold every convolution of a ResNet-50 once', () => {
    const layers = resNetLayers(resNet50Config);
    // The stem; four shapes of the first stage, where expansion and shortcut are equal; six of each later one.
    expect(layers).toHaveLength(23);
    expect(layers.at(-1)).toEqual({ size: 7, channels: 512, filters: 512, kernel: 3, stride: 1 });
  });

  it('repeat a block of random numbers in large arrays', async () => {
    using array = randomArray(gpu(), [3, 50_000]);
    const values = await array.read();
    expect(values[2 ** 16]).toBe(values[0]);
    expect(values[149_999]).toBe(values[149_999 % 2 ** 16]);
    expect(values.every((value) => Math.abs(value) <= 1)).toBe(true);
    expect(new Set(values.slice(0, 100)).size).toBe(100);
  });
});

it('leaves a case out that does not fit on the device, and goes on', async () => {
  const failures: string[] = [];
  let visits = 0;
  const measure = async (): Promise<void> => {
    visits += 1;
    throw new GpuError('The GPU is out of memory.');
  };
  const huge: Visit = { name: 'huge', measure };
  const guarded = leaveOutFailing(huge, failures);
  for (let round = 0; round < 3; round++) await guarded.measure(round);
  expect([visits, guarded.failed(), failures]).toEqual([1, true, ['huge is left out: The GPU is out of memory.']]);
  const broken: Visit = { name: 'broken', measure: () => Promise.reject(new Error('a mistake')) };
  await expect(leaveOutFailing(broken, failures).measure(0)).rejects.toThrow('a mistake');
});

describe('the work of every case', () => {
  const gpu = useGpu();

  it('is recorded without an error on this adapter', async () => {
    // One small operation of each kind; the tests of the kernels run all of them.
    for (const only of ['softmax 12x', 'layernorm 64', 'adaptiveavg', 'crossentropy 1x', 'sgd', 'where']) {
      const found = await collectKernelCases({ ...options, only, batches: [1] }, 'software');
      expect(found.length).toBeGreaterThan(0);
      for (const { prepare } of found) {
        using _inputs = gpu().scopes.open();
        gpu().scope(prepare(gpu()));
        await gpu().finish();
      }
    }
  });
});
