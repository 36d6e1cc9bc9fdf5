import { describe, expect, it } from 'vitest';
import { crossEntropy } from '../../src/autograd/ops/crossEntropy.ts';
import { mean } from '../../src/autograd/ops/reductions.ts';
import { reshape } from '../../src/autograd/ops/shape.ts';
import { backward } from '../../src/autograd/tape.ts';
import { Tensor } from '../../src/autograd/tensor.ts';
import { binary } from '../../src/kernels/binary.ts';
import { fill } from '../../src/kernels/fill.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { clipGradNorm } from '../../src/nn/clip.ts';
import { BatchNorm2d, Conv2d, Dropout, Linear } from '../../src/nn/layers.ts';
import { Module, seedModules } from '../../src/nn/module.ts';
import { adam } from '../../src/nn/optimizer.ts';
import { useGpu } from '../support/gpu.ts';
import { uniform } from '../support/numeric.ts';

const gpu = useGpu();

/** A convolution with batch norm and a classifier, with dropout in between. */
class Learner extends Module {
  readonly conv = new Conv2d(3, 8, 3, { padding: 1, bias: false });
  readonly norm = new BatchNorm2d(8);
  readonly dropout = new Dropout(0.3);
  readonly head = new Linear(8, 5);
}

/** With its optimizer, and inputs that stay in place. */
function learner() {
  const model = new Learner();
  const arena = new ParameterArena(gpu(), model);
  const optimizer = adam(arena, { weightDecay: 0.01 });
  const image = fill(gpu(), [4, 7, 7, 3], 0);
  const target = NDArray.from(gpu(), [0, 0, 0, 0], [4], 'i32');
  const record = (): NDArray => {
    const features = model.norm.forward(model.conv.forward(new Tensor(image)), { relu: true });
    const pooled = model.dropout.forward(mean(model.dropout.forward(features), [1, 2]));
    const loss = crossEntropy(model.head.forward(pooled), new Tensor(target));
    arena.zeroGrad();
    backward([loss]);
    optimizer.record(clipGradNorm(arena, 0.5));
    return reshape(loss, [1]).array;
  };
  const feed = (step: number): void => {
    image.write(uniform(step, image.size));
    target.write([0, 1, 2, 3].map((i) => (step * 7 + i * 3) % 5));
    seedModules(model, 0, step);
    optimizer.advance(0.01 / (1 + step));
  };
  const dispose = (): void => {
    for (const item of [image, target, optimizer, arena]) item.dispose();
  };
  return { arena, record, feed, dispose };
}

const bits = (values: ArrayLike<number>): Uint32Array => new Uint32Array(Float32Array.from(values).buffer);

describe('a captured function', () => {
  it('gives the bits of the eager one in 100 training steps with other inputs', async () => {
    const [eager, replayed] = [learner(), learner()];
    replayed.feed(0);
    const captured = gpu().capture(replayed.record);
    for (let step = 0; step <= 100; step++) {
      eager.feed(step);
      const loss = gpu().scope(eager.record);
      if (step > 0) {
        replayed.feed(step);
        captured.run();
      }
      expect(bits(await captured.result.read()), `step ${step}`).toEqual(bits(await loss.read()));
      loss.dispose();
    }
    const [expected, found] = [await eager.arena.state(), await replayed.arena.state()];
    for (const [name, { data }] of expected) expect(bits(found.get(name)!.data), name).toEqual(bits(data));
    for (const item of [captured, eager, replayed]) item.dispose();
  });

  it('repeats uploads, also where their memory was used for something else in between', async () => {
    const x = NDArray.from(gpu(), [1, 2], [2]);
    const captured = gpu().capture(() => {
      let sum = binary(
        'add',
        x,
        gpu().scope(() => NDArray.from(gpu(), [10, 20], [2])),
      );
      for (let i = 0; i < 3; i++) sum = binary('mul', sum, NDArray.from(gpu(), [2, 3], [2]));
      return sum;
    });
    expect([...(await captured.result.read())]).toEqual([88, 594]);
    x.write([0, 0]);
    captured.run();
    captured.run();
    expect([...(await captured.result.read())]).toEqual([80, 540]);
    captured.dispose();
    x.dispose();
  });

  it('keeps what it uses alive, and gives all of it back', async () => {
    const before = gpu().memoryReport();
    const x = NDArray.from(gpu(), [1, 2, 3], [3]);
    const captured = gpu().capture(() => binary('add', x, x));
    const { peakBytes } = gpu().memoryReport();
    x.dispose();
    const others = Array.from({ length: 20 }, () => fill(gpu(), [3], 7));
    captured.run();
    expect([...(await captured.result.read())]).toEqual([2, 4, 6]);
    for (const other of others) other.dispose();
    captured.dispose();
    captured.dispose();
    expect(() => captured.run()).toThrow(/was disposed/);
    expect(gpu().memoryReport().peakBytes).toBeGreaterThanOrEqual(peakBytes);
    expect([gpu().memoryReport().liveBuffers, gpu().memoryReport().liveBytes]).toEqual([
      before.liveBuffers,
      before.liveBytes,
    ]);
  });

  it('shares memory with others, and uses it for smaller tensors too', async () => {
    const before = gpu().memoryReport();
    const allocated = (): number => gpu().memoryReport().liveBytes + gpu().memoryReport().pooledBytes;
    const x = fill(gpu(), [40_000], 1);
    const memory = gpu().captureMemory();
    const chain = (size: number, times: number) => () => {
      let y = x.view([size], [1]);
      for (let i = 0; i < times; i++) y = gpu().scope(() => binary('add', y, x.view([size], [1])));
      return y;
    };
    const large = gpu().capture(chain(40_000, 3), memory);
    const withOne = allocated();
    const small = gpu().capture(chain(15_000, 2), memory);
    expect(allocated() - withOne, 'the second finds all its memory').toBe(0);
    for (const value of [2, 5]) {
      x.write(new Float32Array(40_000).fill(value));
      large.run();
      small.run();
      expect((await large.result.read()).every((sum) => sum === 4 * value)).toBe(true);
      expect((await small.result.read()).every((sum) => sum === 3 * value)).toBe(true);
    }
    for (const item of [large.result, small.result, large, small, memory, memory, x]) item.dispose();
    const after = gpu().memoryReport();
    expect([after.liveBuffers, after.liveBytes]).toEqual([before.liveBuffers, before.liveBytes]);
  });

  it('can have more dispatches than a submission takes', async () => {
    const one = fill(gpu(), [1], 1);
    const total = NDArray.from(gpu(), [0], [1]);
    const captured = gpu().capture(() => {
      let sum = total;
      for (let i = 0; i < 3000; i++) sum = binary('add', sum, one);
      return sum;
    });
    expect(captured.dispatches).toBe(3000);
    total.write([5]);
    captured.run();
    expect((await captured.result.read())[0]).toBe(3005);
    for (const item of [captured, one, total]) item.dispose();
  });

  it('refuses to nest and to read, and leaves nothing behind when the function fails', async () => {
    const before = gpu().memoryReport().liveBuffers;
    expect(() => gpu().capture(() => gpu().capture(() => 1))).toThrow(/cannot be nested/);
    let reading: Promise<unknown> | undefined;
    gpu()
      .capture(() => {
        reading = fill(gpu(), [1], 1).read();
        reading.catch(() => undefined);
      })
      .dispose();
    await expect(reading).rejects.toThrow(/cannot read values back/);
    expect(gpu().memoryReport().liveBuffers).toBe(before);
    expect(
      (
        await gpu()
          .scope(() => fill(gpu(), [1], 3))
          .read()
      )[0],
    ).toBe(3);
  });
});
