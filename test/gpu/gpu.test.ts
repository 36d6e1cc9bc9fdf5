import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { add, mul } from '../../src/autograd/ops/elementwise.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { createGpu } from '../../src/gpu/create.node.ts';
import { GpuError } from '../../src/gpu/errors.ts';
import { wrapDevice } from '../../src/gpu/wrap.ts';
import { binary } from '../../src/kernels/binary.ts';
import { fill } from '../../src/kernels/fill.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();

describe('scopes', () => {
  it('free what is not returned, in nested scopes and after errors', async () => {
    const before = gpu().memoryReport().liveBuffers;
    const kept = gpu().scope(() => {
      const a = fill(gpu(), [100], 1);
      const inner = gpu().scope(() => binary('add', a, fill(gpu(), [100], 2)));
      return { answer: binary('mul', inner, inner) };
    });
    expect(gpu().memoryReport().liveBuffers).toBe(before + 1);
    expect((await kept.answer.read())[99]).toBe(9);
    kept.answer.dispose();
    expect(() =>
      gpu().scope(() => {
        fill(gpu(), [100], 1);
        throw new Error('on purpose');
      }),
    ).toThrow('on purpose');
    expect(gpu().memoryReport().liveBuffers).toBe(before);
  });

  it('return to the same memory after 100 steps with gradients', async () => {
    const weight = tensor(gpu(), [1, 2, 3], [3], { requiresGrad: true });
    const step = (): void =>
      gpu().scope(() => {
        const x = tensor(gpu(), [1, 1, 1], [3]);
        backward([mul(add(x, weight), weight)], [fill(gpu(), [3], 1)]);
      });
    // The first step makes the gradient, the second one accumulates: from then on nothing changes.
    step();
    step();
    const before = gpu().memoryReport();
    for (let i = 0; i < 100; i++) step();
    await gpu().finish();
    expect(gpu().memoryReport()).toEqual(before);
    expect([...(await weight.grad!.read())]).toEqual([306, 510, 714]);
    weight.dispose();
  });

  it('report arrays that are used after they were disposed', () => {
    const gone = gpu().scope(() => [fill(gpu(), [2], 1)].map((array) => array.shape) && fill(gpu(), [2], 1));
    gone.dispose();
    expect(() => binary('add', gone, gone)).toThrow(/after it was disposed/);
  });
});

describe('gpu', () => {
  it('writes between recorded kernels in the order of the program', async () => {
    const x = NDArray.from(gpu(), [1, 2], [2]);
    const before = binary('add', x, x);
    x.write([10, 20]);
    const after = binary('add', x, x);
    expect([...(await before.read()), ...(await after.read())]).toEqual([2, 4, 20, 40]);
  });

  it('records many dispatches per submission', async () => {
    await gpu().finish();
    const before = gpu().counters;
    gpu().scope(() => {
      let x = fill(gpu(), [4], 0);
      const one = fill(gpu(), [4], 1);
      for (let i = 0; i < 500; i++) x = binary('add', x, one);
    });
    await gpu().finish();
    const after = gpu().counters;
    expect(after.dispatches - before.dispatches).toBe(502);
    expect(after.submits - before.submits).toBe(1);
  });

  it('refuses a tensor that the device cannot bind, naming the limit', () => {
    expect(() => fill(gpu(), [2 ** 20, 2 ** 12], 0)).toThrow(/maxStorageBufferBindingSize/);
  });

  it('names the kernel of a failed dispatch in debug mode, and reports leaks only there', async () => {
    const debug = await createGpu({ debug: true });
    const x = NDArray.from(debug, [1, 2, 3], [3]);
    expect([...(await binary('add', x, x).read())]).toEqual([2, 4, 6]);
    expect(debug.leakReport()).toEqual([]);
    debug.dispose();
  });

  it('can be disposed twice and refuses work afterwards', async () => {
    const own = await createGpu();
    own.dispose();
    own.dispose();
    expect(() => fill(own, [1], 0)).toThrow(GpuError);
  });

  it('leaves a wrapped device alive', async () => {
    const wrapped = wrapDevice(gpu().device);
    expect(wrapped.adapter.kind).toBe(gpu().adapter.kind);
    const x = fill(wrapped, [3], 2);
    expect([...(await x.read())]).toEqual([2, 2, 2]);
    wrapped.dispose();
    expect((await fill(gpu(), [1], 5).read())[0]).toBe(5);
  });

  it('tells listeners when the device is lost', async () => {
    const own = await createGpu();
    const events: string[] = [];
    own.onDeviceLost(({ reason }) => events.push(reason));
    own.device.destroy();
    await own.device.lost;
    await new Promise((done) => setTimeout(done, 0));
    expect(events).toHaveLength(1);
    expect(() => fill(own, [1], 0)).toThrow(/lost/);
  });

  it('lets Node exit by itself after dispose', () => {
    const script = `
      import { createGpu } from './src/gpu/create.node.ts';
      import { fill } from './src/kernels/fill.ts';
      const gpu = await createGpu();
      console.log((await fill(gpu, [1], 3).read())[0]);
      gpu.dispose();`;
    const output = execFileSync('npx', ['tsx', '--input-type=module', '-e', script], {
      cwd: resolve(import.meta.dirname, '../..'),
      encoding: 'utf8',
      timeout: 60_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(output.trim().split('\n').at(-1)).toBe('3');
  });

  it('explains in a sentence when hardware is demanded and there is none', async () => {
    if (gpu().adapter.kind === 'hardware') return;
    await expect(createGpu({ requireHardware: true })).rejects.toThrow(/hardware GPU is required.*found/);
  });
});
