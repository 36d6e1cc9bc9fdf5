import { afterEach, describe, expect, it, vi } from 'vitest';
import { createGpu } from '../../src/gpu/create.node.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Program, Workgroups } from '../../src/gpu/pipelines.ts';
import { wrapDevice } from '../../src/gpu/wrap.ts';
import { binary } from '../../src/kernels/binary.ts';
import { contiguous } from '../../src/kernels/copy.ts';
import { fill } from '../../src/kernels/fill.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();
const wrap = (debug = false): Gpu => wrapDevice(gpu().device, gpu().adapter, { debug });

/** A kernel without bindings, as an application might get it wrong. */
function program(name: string, body: string): Program {
  const source = `@compute @workgroup_size(1) fn main() { ${body} }`;
  const cost = () => ({ flops: 0, bytes: 0 });
  return { name, source, constants: {}, params: { fields: [], bytes: 0 }, bindings: [], features: [], cost };
}

const tooMany: Workgroups = [70_000, 1, 1];

/** Errors of the device that nobody scoped, which an application would log. */
async function uncaptured(body: () => void | Promise<void>): Promise<string[]> {
  const { device } = gpu();
  const heard: string[] = [];
  const listen = ({ error }: GPUUncapturedErrorEvent): void => void heard.push(error.message);
  device.addEventListener('uncapturederror', listen);
  await body();
  await device.queue.onSubmittedWorkDone();
  await new Promise((done) => setTimeout(done, 0));
  device.removeEventListener('uncapturederror', listen);
  return heard;
}

afterEach(() => vi.restoreAllMocks());

describe('the queue of a wrapped device', () => {
  it('gets nothing unless the application asks, however much is recorded', async () => {
    using wrapped = wrap();
    const submit = vi.spyOn(GPUQueue.prototype, 'submit');
    const count = 1030;
    const x = NDArray.from(wrapped, [...Array(count + 3).keys()], [count + 3]);
    // Parameters of a transposition do not fit immediates: these take more than a page of them.
    const turned = [...Array(count).keys()].map((i) => contiguous(x.view([2, 2], [1, 2], i)));
    x.write(new Float32Array(count + 3).fill(-1));
    const last = contiguous(x.view([2, 2], [1, 2], 7));
    wrapped.capture(() => binary('add', x, x)).dispose();
    expect(submit).not.toHaveBeenCalled();
    for (const i of [0, 1, 1023, 1024, count - 1]) {
      expect([...(await turned[i]!.read())], `transposition ${i}`).toEqual([i, i + 2, i + 1, i + 3]);
    }
    expect(await last.read()).toEqual(Float32Array.of(-1, -1, -1, -1));
    expect(submit).toHaveBeenCalled();
  });

  it('gets frames only from the application, which writes their inputs through the engine', async () => {
    using wrapped = wrap();
    const { device } = wrapped;
    const x = NDArray.from(wrapped, [0, 0, 0, 0], [4]);
    const step = wrapped.capture(() => binary('mul', x, x));
    expect(() => step.encode(device.createCommandEncoder())).toThrow(/call gpu\.submit\(\) before/);
    wrapped.submit();
    const staging = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
    for (const frame of [1, 2, 3]) {
      x.write([frame, 0, -frame, 0.5]);
      const { submits } = wrapped.counters;
      const encoder = device.createCommandEncoder();
      step.encode(encoder);
      const { buffer, offset, size } = step.result.binding;
      encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
      device.queue.submit([encoder.finish()]);
      expect(wrapped.counters.submits).toBe(submits);
      await staging.mapAsync(GPUMapMode.READ);
      expect(new Float32Array(staging.getMappedRange())).toEqual(Float32Array.of(frame ** 2, 0, frame ** 2, 0.25));
      staging.unmap();
    }
    staging.destroy();
  });
});

describe('an error of a kernel', () => {
  const broken = program('broken/one', 'let x: u32 = 1.5;');
  const idle = program('idle/one', '');

  it.each([false, true])('in WGSL is thrown with its name on a wrapped device, debug %s', async (debug) => {
    using wrapped = wrap(debug);
    const heard = await uncaptured(async () => {
      wrapped.dispatch(broken, [], {}, [1, 1, 1]);
      await expect(wrapped.finish()).rejects.toThrow(/^Kernel broken\/one: [\s\S]*u32/);
    });
    expect(heard).toEqual([]);
  });

  it('in a dispatch is thrown with its name in debug mode', async () => {
    using wrapped = wrap(true);
    wrapped.dispatch(idle, [], {}, [1, 1, 1]);
    wrapped.dispatch(idle, [], {}, tooMany);
    await expect(wrapped.finish()).rejects.toThrow(/idle\/one/);
    await wrapped.finish();
    using own = await createGpu({ debug: true });
    own.dispatch(idle, [], {}, tooMany);
    await expect(own.finish()).rejects.toThrow(/^Kernel idle\/one: /);
  });

  it("in the application's encoder is reported where that is finished, with its name in debug mode", async () => {
    using wrapped = wrap(true);
    const { device } = wrapped;
    using step = wrapped.capture(() => wrapped.dispatch(idle, [], {}, tooMany));
    await expect(wrapped.finish()).rejects.toThrow(/idle\/one/);
    const encoder = device.createCommandEncoder();
    step.encode(encoder);
    device.pushErrorScope('validation');
    encoder.finish();
    expect((await device.popErrorScope())?.message).toMatch(/idle\/one/);
  });

  it('is not thrown if it is of the application, whose error scopes stay as they are', async () => {
    using wrapped = wrap(true);
    const { device } = wrapped;
    const invalid = { size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE };
    const heard = await uncaptured(() => void device.createBuffer(invalid));
    expect(heard).toHaveLength(1);
    device.pushErrorScope('validation');
    const x = fill(wrapped, [4], 1);
    device.createBuffer(invalid);
    expect(await device.popErrorScope()).toBeInstanceOf(GPUValidationError);
    expect(await x.read()).toEqual(Float32Array.of(1, 1, 1, 1));
    await expect(device.popErrorScope()).rejects.toThrow();
    // This file's own engine, which owns the device, has heard of the invalid buffer.
    await expect(gpu().finish()).rejects.toThrow(/WebGPU reported an error/);
  });
});

describe('two engines on one device', () => {
  it('hand arrays over without a copy, and have errors and memory of their own', async () => {
    const first = wrap();
    using second = wrap();
    const x = fill(first, [4], 3);
    const theirs = NDArray.wrap(second, x.binding.buffer, [4]);
    first.submit();
    const sum = binary('add', theirs, fill(second, [4], 1));
    expect(await sum.read()).toEqual(Float32Array.of(4, 4, 4, 4));
    first.dispatch(program('broken/two', 'nonsense'), [], {}, [1, 1, 1]);
    await second.finish();
    await expect(first.finish()).rejects.toThrow(/^Kernel broken\/two: /);
    first.dispose();
    expect(first.isDisposed).toBe(true);
    expect(second.memoryReport().liveBytes).toBeGreaterThan(0);
    expect(await binary('mul', sum, sum).read()).toEqual(Float32Array.of(16, 16, 16, 16));
  });
});

describe('dispose of an engine on a wrapped device', () => {
  it('leaves device and buffers of the application alive, and drops what was not submitted', async () => {
    const wrapped = wrap();
    const { device } = wrapped;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = device.createBuffer({ size: 16, usage });
    device.queue.writeBuffer(buffer, 0, Float32Array.of(1, 2, 3, 4));
    const x = NDArray.wrap(wrapped, buffer, [4]);
    const step = wrapped.capture(() => binary('add', x, x));
    step.dispose();
    const heard = await uncaptured(() => {
      wrapped.dispose();
      wrapped.dispose();
    });
    expect(heard).toEqual([]);
    expect(() => wrapped.submit()).toThrow(/disposed/);
    const lost = await Promise.race([device.lost, Promise.resolve('alive')]);
    expect(lost).toBe('alive');
    using again = wrap();
    expect(await NDArray.wrap(again, buffer, [4]).read()).toEqual(Float32Array.of(1, 2, 3, 4));
    buffer.destroy();
  });
});
