import { describe, expect, it } from 'vitest';
import { linear } from '../../src/autograd/ops/matmul.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { constant, kaimingFanOut, uniform } from '../../src/nn/init.ts';
import { Buffer, Module, Parameter } from '../../src/nn/module.ts';
import { useGpu } from '../support/gpu.ts';
import { uniform as random } from '../support/numeric.ts';

const gpu = useGpu();

class Affine extends Module {
  readonly weight: Parameter;
  readonly bias = new Parameter([3], constant(0.5));
  readonly seen = new Buffer([3], 1);
  constructor(inputs: number) {
    super();
    this.weight = new Parameter([3, inputs], uniform(1));
  }
}

class Net extends Module {
  readonly stem = { conv: new Parameter([4, 2, 3, 5], kaimingFanOut, 'convolution') };
  readonly blocks = [new Affine(70), new Affine(130)];
}

describe('Module', () => {
  it('names parameters and buffers by the properties that hold them', () => {
    const net = new Net();
    expect([...net.namedParameters()].map(([name]) => name)).toEqual([
      'stem.conv',
      'blocks.0.weight',
      'blocks.0.bias',
      'blocks.1.weight',
      'blocks.1.bias',
    ]);
    expect([...net.namedBuffers('net')].map(([name]) => name)).toEqual(['net.blocks.0.seen', 'net.blocks.1.seen']);
  });

  it('names a shared parameter once', () => {
    class Tied extends Module {
      readonly first = new Affine(2);
      readonly second = this.first;
      readonly third = this.first.weight;
    }
    expect([...new Tied().namedParameters()].map(([name]) => name)).toEqual(['first.weight', 'first.bias']);
  });

  it('switches training off everywhere', () => {
    const net = new Net().setTraining(false);
    expect([...net.namedModules()].map(([, module]) => module.training)).toEqual([false, false, false]);
  });

  it('says what to do when a parameter is used before it has values', () => {
    expect(() => new Net().blocks[0]!.weight.tensor).toThrow(/\[3, 70\].*ParameterArena/);
  });
});

describe('ParameterArena', () => {
  it('spreads parameters over segments that stay below the cap and round-trips their values', async () => {
    const net = new Net();
    using arena = new ParameterArena(gpu(), net, { segmentBytes: 1024 });
    expect(arena.segments.length).toBeGreaterThan(1);
    expect(arena.parameterCount).toBe(120 + 3 * 70 + 3 + 3 * 130 + 3);
    const values = new Map(
      [...arena.shapes()].map(([name, shape], i) => [
        name,
        random(
          i,
          shape.reduce((a, b) => a * b),
        ),
      ]),
    );
    arena.load(values);
    const state = await arena.state();
    expect([...state.keys()].sort()).toEqual([...values.keys()].sort());
    for (const [name, { data, shape }] of state) {
      expect(data, name).toEqual(values.get(name));
      expect(shape).toEqual(arena.shapes().get(name));
    }
  });

  it('stores convolution weights with the input channels last', async () => {
    const net = new Net();
    using arena = new ParameterArena(gpu(), net);
    expect(arena.shapes().get('stem.conv')).toEqual([4, 5, 2, 3]);
    const published = Float32Array.from({ length: 120 }, (_, i) => i);
    arena.load([['stem.conv', published]]);
    const stored = await net.stem.conv.tensor.data();
    // out 1, height 1, width 2, channel 3 of [4, 2, 3, 5] is [1, 3, 1, 2] of [4, 5, 2, 3].
    expect(stored[((1 * 2 + 1) * 3 + 2) * 5 + 3]).toBe(((1 * 5 + 3) * 2 + 1) * 3 + 2);
  });

  it('draws the same initial values whatever the segments and the order of construction, others for another seed', async () => {
    using small = new ParameterArena(gpu(), new Net(), { segmentBytes: 256, seed: 3 });
    using large = new ParameterArena(gpu(), new Net(), { seed: 3 });
    using other = new ParameterArena(gpu(), new Net(), { seed: 4 });
    const [a, b, c] = [await small.state(), await large.state(), await other.state()];
    expect(a).toEqual(b);
    expect(a.get('stem.conv')).not.toEqual(c.get('stem.conv'));
    expect(a.get('blocks.0.bias')!.data).toEqual(new Float32Array([0.5, 0.5, 0.5]));
    expect(a.get('blocks.0.seen')!.data).toEqual(new Float32Array([1, 1, 1]));
  });

  it('accumulates gradients into its segments and leaves frozen parameters alone', async () => {
    const net = new Net();
    using arena = new ParameterArena(gpu(), net, { frozen: (name) => name.endsWith('bias'), segmentBytes: 1024 });
    const x = random(1, 2 * 70);
    const layer = net.blocks[0]!;
    const run = () =>
      gpu().scope(() => {
        const y = linear(tensor(gpu(), x, [2, 70]), layer.weight.tensor, layer.bias.tensor);
        backward([y], [NDArray.from(gpu(), new Float32Array(6).fill(1), [2, 3])]);
      });
    run();
    run();
    const grads = await arena.gradients();
    const expected = Float32Array.from({ length: 210 }, (_, i) => {
      const sum = Math.fround(x[i % 70]! + x[70 + (i % 70)]!);
      return 2 * sum;
    });
    expect(grads.get('blocks.0.weight')!.data).toEqual(expected);
    expect(grads.has('blocks.0.bias')).toBe(false);
    expect(layer.bias.tensor.grad).toBeUndefined();
    arena.zeroGrad();
    expect((await arena.gradients()).get('blocks.0.weight')!.data.every((value) => value === 0)).toBe(true);
  });

  it('gives its memory back and unbinds the module', () => {
    const before = gpu().memoryReport().liveBytes;
    const net = new Net();
    const arena = new ParameterArena(gpu(), net);
    expect(gpu().memoryReport().liveBytes).toBeGreaterThan(before);
    arena.dispose();
    expect(gpu().memoryReport().liveBytes).toBe(before);
    expect(() => net.stem.conv.tensor).toThrow(/Parameter stem.conv has no values/);
  });

  it('refuses unknown names and wrong numbers of values', () => {
    using arena = new ParameterArena(gpu(), new Net());
    expect(() => arena.load([['blocks.2.weight', []]])).toThrow(/no parameter or buffer called blocks.2.weight/);
    expect(() => arena.load([['stem.conv', [1, 2]]])).toThrow(/stem.conv has the shape \[4, 5, 2, 3\], 2 values/);
  });
});
