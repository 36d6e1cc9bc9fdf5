import { describe, expect, it } from 'vitest';
import { mul, square, sub } from '../../src/autograd/ops/elementwise.ts';
import { sum } from '../../src/autograd/ops/reductions.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { BatchNorm2d, Conv2d, Dropout, Embedding, LayerNorm, Linear } from '../../src/nn/layers.ts';
import { Module, seedModules } from '../../src/nn/module.ts';
import { hashStream, parameterRandom, uniformFromWord } from '../../src/nn/random.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, uniform } from '../support/numeric.ts';

const gpu = useGpu();

function moments(values: Float32Array) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance), largest: values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) };
}

describe('random streams', () => {
  it('give the published words of the generator', () => {
    const words = (name: string, seed: number) => [0, 1, 2].map(hashStream(name, seed));
    expect(words('conv1.weight', 0)).toEqual([2333170444, 3205642273, 1470008754]);
    expect(words('bert.embeddings.word_embeddings.weight', 1)).toEqual([1489027342, 3435703745, 2434819452]);
    expect(uniformFromWord(2333170444)).toBe(0.08646714687347412);
  });

  it('have the moments of the distributions they are named after', () => {
    const random = parameterRandom('weight', 1);
    const flat = moments(random.uniform(40_001, 0.5));
    expect(flat.largest).toBeLessThanOrEqual(0.5);
    expect(flat.mean).toBeCloseTo(0, 2);
    expect(flat.deviation).toBeCloseTo(0.5 / Math.sqrt(3), 2);
    const bell = moments(random.normal(40_001, 2));
    expect(Math.abs(bell.mean)).toBeLessThan(0.05);
    expect(Math.abs(bell.deviation - 2)).toBeLessThan(0.05);
    expect(bell.largest).toBeGreaterThan(6.5);
    expect(random.normal(5, 2)).toEqual(random.normal(40_001, 2).subarray(0, 5));
  });
});

describe('layers', () => {
  it('start from the usual distributions', async () => {
    class Net extends Module {
      readonly conv = new Conv2d(8, 32, 3, { groups: 2 });
      readonly linear = new Linear(100, 50);
      readonly bert = new Linear(100, 50, { deviation: 0.02 });
      readonly table = new Embedding(60, 30, { deviation: 0.02, paddingIndex: 2 });
      readonly batch = new BatchNorm2d(3);
      readonly layer = new LayerNorm(3);
    }
    using arena = new ParameterArena(gpu(), new Net());
    const state = await arena.state();
    const of = (name: string) => moments(state.get(name)!.data);
    expect(state.get('conv.weight')!.shape).toEqual([32, 4, 3, 3]);
    expect(of('conv.weight').deviation).toBeCloseTo(Math.sqrt(2 / (32 * 9)), 2);
    expect(of('conv.bias').largest).toBeLessThanOrEqual(1 / Math.sqrt(4 * 9));
    expect(of('linear.weight').largest).toBeLessThanOrEqual(0.1);
    expect(of('linear.weight').deviation).toBeCloseTo(0.1 / Math.sqrt(3), 2);
    expect(of('linear.bias').largest).toBeGreaterThan(0.05);
    expect(of('bert.weight').deviation).toBeCloseTo(0.02, 3);
    expect(of('bert.bias').largest).toBe(0);
    expect(state.get('table.weight')!.data.subarray(60, 90)).toEqual(new Float32Array(30));
    const names = [
      'batch.weight',
      'batch.bias',
      'batch.running_mean',
      'batch.running_var',
      'layer.weight',
      'layer.bias',
    ];
    expect(names.map((name) => [...state.get(name)!.data])).toEqual(
      [1, 0, 0, 1, 1, 0].map((value) => [value, value, value]),
    );
  });

  it('normalise by the batch and follow its statistics in training, and by those otherwise', async () => {
    const norm = new BatchNorm2d(2, { momentum: 0.25 });
    using arena = new ParameterArena(gpu(), norm);
    const x = new Float32Array([1, 10, 3, 10, 5, 30, 7, 30]);
    const run = () => gpu().scope(() => norm.forward(tensor(gpu(), x, [2, 1, 2, 2])));
    using trained = run();
    expectClose(
      await trained.data(),
      [-3, -1, -1, -1, 1, 1, 3, 1].map((v, i) => (i % 2 ? v : v / Math.sqrt(5))),
      1e-4,
    );
    const state = await arena.state();
    expectClose(state.get('running_mean')!.data, [0.25 * 4, 0.25 * 20]);
    expectClose(state.get('running_var')!.data, [0.75 + (0.25 * 20) / 3, 0.75 + (0.25 * 400) / 3]);
    norm.setTraining(false);
    using evaluated = run();
    expectClose((await evaluated.data()).subarray(0, 1), [(1 - 1) / Math.sqrt(0.75 + 5 / 3)], 1e-4);
    expect(await arena.state()).toEqual(state);
  });

  it('drop out differently in every layer and call, the same for the same seed and step, and not outside training', async () => {
    class Net extends Module {
      readonly first = new Dropout(0.5);
      readonly second = new Dropout(0.5);
    }
    const net = new Net();
    const x = tensor(gpu(), new Float32Array(256).fill(1), [256]);
    const masks = async (layer: Dropout) => {
      using y = layer.forward(x);
      return [...(await y.data())].join();
    };
    seedModules(net, 7, 3);
    const seen = [await masks(net.first), await masks(net.first), await masks(net.second)];
    expect(new Set(seen).size).toBe(3);
    seedModules(net, 7, 3);
    expect([await masks(net.first), await masks(net.first), await masks(net.second)]).toEqual(seen);
    seedModules(net, 7, 4);
    expect(seen).not.toContain(await masks(net.first));
    net.setTraining(false);
    expect(net.first.forward(x)).toBe(x);
    x.dispose();
  });

  it('pass gradients to every parameter of a small network', async () => {
    class Net extends Module {
      readonly conv = new Conv2d(2, 4, 3, { padding: 1 });
      readonly norm = new BatchNorm2d(4);
      readonly last = new LayerNorm(4);
      readonly head = new Linear(4, 3);
    }
    const net = new Net();
    using arena = new ParameterArena(gpu(), net);
    gpu().scope(() => {
      const x = tensor(gpu(), uniform(2, 2 * 5 * 5 * 2), [2, 5, 5, 2]);
      const weights = tensor(gpu(), uniform(3, 3), [1, 3]);
      const y = net.head.forward(net.last.forward(net.norm.forward(net.conv.forward(x))));
      const target = tensor(gpu(), uniform(4, 2 * 5 * 5 * 3), y.shape);
      backward([sum(mul(square(sub(y, target)), weights), null)]);
    });
    for (const [name, { data }] of await arena.gradients()) {
      expect(data.every(Number.isFinite), name).toBe(true);
      // A bias in front of a batch normalisation changes nothing.
      if (name !== 'conv.bias')
        expect(
          data.some((value) => Math.abs(value) > 1e-4),
          name,
        ).toBe(true);
    }
  });
});
