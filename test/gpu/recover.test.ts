import { describe, expect, it } from 'vitest';
import { dropout } from '../../src/autograd/ops/dropout.ts';
import { relu, square, sub } from '../../src/autograd/ops/elementwise.ts';
import { mean } from '../../src/autograd/ops/reductions.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { createGpu } from '../../src/gpu/create.node.ts';
import { GpuError } from '../../src/gpu/errors.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { wrapDevice } from '../../src/gpu/wrap.ts';
import { binary } from '../../src/kernels/binary.ts';
import { fill } from '../../src/kernels/fill.ts';
import { recover } from '../../src/kernels/recover.ts';
import { tunedPlans } from '../../src/kernels/tuning/plans.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { loadStateDict } from '../../src/nn/checkpoint.ts';
import { Linear } from '../../src/nn/layers.ts';
import { Module } from '../../src/nn/module.ts';
import { adam } from '../../src/nn/optimizer.ts';

/** As a driver does it: from outside, in the middle of work. */
function lose(gpu: Gpu): void {
  gpu.device.destroy();
}

const wave = (count: number, start: number) => Array.from({ length: count }, (_, i) => Math.sin(i + start));

class TwoLayers extends Module {
  readonly first = new Linear(3, 16);
  readonly second = new Linear(16, 2);
}

/** A network that learns a function of three numbers. */
class Training {
  readonly arena: ParameterArena;
  readonly optimizer;
  private readonly model: TwoLayers;
  private readonly gpu: Gpu;

  constructor(gpu: Gpu, model: TwoLayers, initialize: boolean) {
    this.gpu = gpu;
    this.model = model;
    this.arena = new ParameterArena(gpu, model, { seed: 5, initialize });
    this.optimizer = adam(this.arena);
  }

  step(): void {
    const { gpu, model, arena, optimizer } = this;
    gpu.scope(() => {
      const at = optimizer.steps;
      const x = tensor(gpu, wave(24, at), [8, 3]);
      const y = tensor(gpu, wave(16, -at), [8, 2]);
      const hidden = dropout(relu(model.first.forward(x)), { p: 0.1, seed: at });
      arena.zeroGrad();
      backward([mean(square(sub(model.second.forward(hidden), y)), null)]);
      optimizer.step({ learningRate: 1e-2 });
    });
  }

  checkpoint = async () => ({ weights: await this.arena.state(), optimizer: await this.optimizer.state() });
}

describe('recover', () => {
  it('goes on from the last checkpoint to the same bits as training that lost nothing', async () => {
    using quiet = await createGpu();
    const undisturbed = new Training(quiet, new TwoLayers(), true);
    for (let i = 0; i < 20; i++) undisturbed.step();

    const gpu = await createGpu();
    const model = new TwoLayers();
    const before = new Training(gpu, model, true);
    for (let i = 0; i < 10; i++) before.step();
    const { weights, optimizer } = await before.checkpoint();
    for (let i = 0; i < 3; i++) before.step();
    lose(gpu);
    before.step();
    await expect(before.checkpoint()).rejects.toThrow(/^The GPU device was lost \(destroyed\)/);

    using fresh = await recover(gpu);
    const after = new Training(fresh, model, false);
    await loadStateDict(after.arena, weights, { strict: true });
    after.optimizer.load(optimizer);
    expect(after.optimizer.steps).toBe(10);
    for (let i = 10; i < 20; i++) after.step();
    expect(await after.checkpoint()).toEqual(await undisturbed.checkpoint());
    // What was left of the lost device goes without a word.
    before.arena.dispose();
    expect(model.first.weight.isBound).toBe(true);
  });

  it('keeps options, tuned plans and compiled kernels', async () => {
    const gpu = await createGpu({ defaultLimits: true, maxPooledBytes: 0 });
    tunedPlans(gpu).add('a product', { core: 'default', splits: 1, gain: 1 });
    const sum = binary('add', fill(gpu, [4], 1), fill(gpu, [4], 2));
    await sum.read();
    const { pipelineCount } = gpu.pipelines;
    lose(gpu);
    await expect(sum.read()).rejects.toThrow(GpuError);
    using fresh = await recover(gpu);
    expect(fresh.device.limits.maxStorageBuffersPerShaderStage).toBe(8);
    expect(fresh.adapter).toEqual(gpu.adapter);
    expect(fresh.pipelines.pipelineCount).toBe(pipelineCount);
    expect(tunedPlans(fresh).has('a product')).toBe(true);
    binary('add', fill(fresh, [4], 1), fill(fresh, [4], 2)).dispose();
    await fresh.flush();
    expect(fresh.memoryReport().pooledBytes).toBe(0);
    expect(fresh.pipelines.pipelineCount).toBe(pipelineCount);
  });

  it('gives all who ask the same new device, and can be asked again when that is lost', async () => {
    const gpu = await createGpu();
    const heard: string[] = [];
    gpu.onDeviceLost(({ reason }) => heard.push(reason));
    lose(gpu);
    // Whoever hears of the loss by an error can recover at once.
    await expect(gpu.finish().then(() => fill(gpu, [1], 1).read())).rejects.toThrow(/lost/);
    expect([gpu.isLost, heard]).toEqual([true, ['destroyed']]);
    const [fresh, same] = await Promise.all([recover(gpu), recover(gpu)]);
    expect(same).toBe(fresh);
    expect(await recover(gpu)).toBe(fresh);
    expect([gpu.isDisposed, fresh.isLost]).toEqual([true, false]);
    lose(fresh);
    await expect(fill(fresh, [1], 1).read()).rejects.toThrow(/lost/);
    using third = await recover(fresh);
    expect(await fill(third, [1], 7).read()).toEqual(Float32Array.of(7));
  });

  it('lets captures of the lost device be disposed, and refuses to run them', async () => {
    const gpu = await createGpu();
    const step = gpu.capture(() => fill(gpu, [4], 1));
    lose(gpu);
    await expect(step.result.read()).rejects.toThrow(/lost/);
    using _fresh = await recover(gpu);
    expect(() => step.run()).toThrow(/disposed/);
    step.dispose();
  });

  it('says why it does not recover a device of the application, or one that is not lost', async () => {
    using gpu = await createGpu();
    await expect(recover(gpu)).rejects.toThrow(/is not lost/);
    expect(await fill(gpu, [1], 3).read()).toEqual(Float32Array.of(3));
    const wrapped = wrapDevice(gpu.device, gpu.adapter);
    lose(gpu);
    await expect(fill(wrapped, [1], 1).read()).rejects.toThrow(/lost/);
    await expect(recover(wrapped)).rejects.toThrow(/made by the application.*wrapDevice/);
    const disposed = await createGpu();
    disposed.dispose();
    await expect(recover(disposed)).rejects.toThrow(/was disposed/);
  });
});
