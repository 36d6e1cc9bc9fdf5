import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { add, relu, scale, square, sub } from '../../src/autograd/ops/elementwise.ts';
import { linear } from '../../src/autograd/ops/matmul.ts';
import { mean } from '../../src/autograd/ops/reductions.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { gradNorm } from '../../src/kernels/gradNorm.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import type { Shape } from '../../src/kernels/shape.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { clipGradNorm, readGradNorm, scaleGradients } from '../../src/nn/clip.ts';
import { constant, uniform } from '../../src/nn/init.ts';
import { Module, Parameter } from '../../src/nn/module.ts';
import type { Optimizer } from '../../src/nn/optimizer.ts';
import { adam, sgd } from '../../src/nn/optimizer.ts';
import { exponentialDecay } from '../../src/nn/schedule.ts';
import { useGpu } from '../support/gpu.ts';
import { hasMaterials, materials, openMaterial } from '../support/materials.ts';
import { expectClose, uniform as random } from '../support/numeric.ts';

const gpu = useGpu();

/** Parameters `p0`, `p1`, ... without a network around them. */
class Bag extends Module {
  readonly p: readonly Parameter[];
  constructor(shapes: readonly Shape[]) {
    super();
    this.p = shapes.map((shape) => new Parameter(shape, constant(0)));
  }
}

function setGradients(bag: Bag, grads: readonly ArrayLike<number>[]): void {
  for (const [i, parameter] of bag.p.entries()) parameter.tensor.grad!.write(grads[i]!);
}

interface FixtureCase {
  readonly name: string;
  readonly op: string;
  readonly attrs: {
    readonly lrs: readonly number[];
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
    readonly decoupled: boolean;
    readonly momentum: number;
    readonly max_norm: number;
    readonly lr0: number;
    readonly gamma: number;
    readonly epochs: number;
  };
  readonly inputs: readonly { readonly name: string; readonly tensor: string }[];
  readonly outputs: readonly {
    readonly name: string;
    readonly tensor: string;
    readonly rtol: number;
    readonly atol: number;
  }[];
}

const available = hasMaterials('fixtures/manifest.json', 'fixtures/optimizers.safetensors');

function fixtureCases(): readonly FixtureCase[] {
  if (!available) return [];
  const manifest = JSON.parse(readFileSync(`${materials}/fixtures/manifest.json`, 'utf8'));
  return manifest.groups.find((group: { name: string }) => group.name === 'optimizers').cases;
}

describe.skipIf(!available)('optimizer fixtures', () => {
  const file = available ? openMaterial('fixtures/optimizers.safetensors') : undefined;
  const inputOf = (spec: FixtureCase, name: string) => file!.tensor(spec.inputs.find((i) => i.name === name)!.tensor);
  const check = (spec: FixtureCase, got: Readonly<Record<string, ArrayLike<number>>>) => {
    for (const { name, tensor: stored, rtol, atol } of spec.outputs) {
      expect(got, name).toHaveProperty(name);
      expectClose(got[name]!, file!.tensor(stored).data, rtol, atol);
    }
  };
  const train = async (spec: FixtureCase, make: (arena: ParameterArena) => Optimizer) => {
    const p = inputOf(spec, 'p');
    const g = inputOf(spec, 'g').data;
    const bag = new Bag([p.shape]);
    using arena = new ParameterArena(gpu(), bag);
    arena.load([['p.0', p.data]]);
    using optimizer = make(arena);
    const steps: number[] = [];
    for (const [step, learningRate] of spec.attrs.lrs.entries()) {
      setGradients(bag, [g.subarray(step * p.data.length, (step + 1) * p.data.length)]);
      optimizer.step({ learningRate });
      steps.push(...(await bag.p[0]!.tensor.data()));
    }
    const state = (await optimizer.state()).tensors;
    const slot = (name: string) => state.get(`p.0.${name}`)?.data ?? [];
    check(spec, { p_steps: steps, exp_avg: slot('exp_avg'), exp_avg_sq: slot('exp_avg_sq') });
  };

  for (const spec of fixtureCases()) {
    it(spec.name, async () => {
      const { attrs } = spec;
      if (spec.op === 'adam') {
        const { betas, eps, weight_decay: weightDecay, decoupled } = attrs;
        await train(spec, (arena) => adam(arena, { betas, eps, weightDecay, decoupled }));
      } else if (spec.op === 'sgd') {
        await train(spec, (arena) => sgd(arena, { momentum: attrs.momentum, weightDecay: attrs.weight_decay }));
      } else if (spec.op === 'clip_grad_norm') {
        const grads = spec.inputs.map(({ name }) => inputOf(spec, name));
        const bag = new Bag(grads.map(({ shape }) => shape));
        // Several segments: the norm is that of all of them.
        using arena = new ParameterArena(gpu(), bag, { segmentBytes: 512 });
        expect(arena.segments.length).toBeGreaterThan(1);
        setGradients(
          bag,
          grads.map(({ data }) => data),
        );
        using clip = clipGradNorm(arena, attrs.max_norm);
        scaleGradients(arena, clip);
        const scaled = await arena.gradients();
        const got = Object.fromEntries(spec.inputs.map(({ name }, i) => [name, scaled.get(`p.${i}`)!.data]));
        check(spec, { ...got, norm: [(await readGradNorm(clip)).norm] });
      } else if (spec.op === 'exponential_lr') {
        const schedule = exponentialDecay(attrs.lr0, attrs.gamma, 1);
        check(spec, { lrs: Array.from({ length: attrs.epochs }, (_, epoch) => schedule(epoch)) });
      } else {
        expect.fail(`no test knows the operator ${spec.op}`);
      }
    });
  }
});

describe('clipGradNorm', () => {
  it('measures long segments and clips inside the optimizer as scaling the gradients would', async () => {
    // More than two chunks of the first stage, and a ragged end.
    const size = 2 * 4 * 4096 + 77;
    const grads = random(5, size);
    let squares = 0;
    for (const value of grads) squares += value * value;
    const results: Float32Array[] = [];
    for (const scaled of [false, true]) {
      const bag = new Bag([[size]]);
      using arena = new ParameterArena(gpu(), bag);
      setGradients(bag, [grads]);
      using clip = clipGradNorm(arena, 2);
      using optimizer = sgd(arena);
      if (scaled) scaleGradients(arena, clip);
      optimizer.step(scaled ? { learningRate: 1 } : { learningRate: 1, clip });
      const { norm, factor, nonFinite } = await readGradNorm(clip);
      expectClose([norm, factor, nonFinite], [Math.sqrt(squares), 2 / (Math.sqrt(squares) + 1e-6), 0], 1e-5, 0);
      results.push(Float32Array.from(await bag.p[0]!.tensor.data()));
    }
    expect(results[0]).toEqual(results[1]);
    expectClose(
      results[0]!,
      grads.map((value) => (-2 * value) / Math.sqrt(squares)),
      1e-5,
      1e-9,
    );
  });

  it('counts gradients that are not finite, and the optimizer then changes nothing', async () => {
    const bag = new Bag([[3], [70]]);
    using arena = new ParameterArena(gpu(), bag, { segmentBytes: 256 });
    const values = [random(1, 3), random(2, 70)];
    arena.load([
      ['p.0', values[0]!],
      ['p.1', values[1]!],
    ]);
    setGradients(bag, [[3, Number.NaN, 4], random(3, 70).fill(0).fill(Number.NEGATIVE_INFINITY, 60, 62)]);
    using optimizer = adam(arena, { weightDecay: 0.1 });
    using clip = clipGradNorm(arena, 1);
    optimizer.step({ learningRate: 0.1, clip });
    expect(await readGradNorm(clip)).toMatchObject({ norm: 5, nonFinite: 3 });
    const state = await arena.state();
    expect([state.get('p.0')!.data, state.get('p.1')!.data]).toEqual(values);
    expect((await optimizer.state()).tensors.get('p.1.exp_avg')!.data.every((value) => value === 0)).toBe(true);
  });

  it('gives the same norm however the chunks are walked', async () => {
    const values = [random(1, 2 * 4 * 4096 + 64), random(2, 8)];
    const arrays = values.map((own) => NDArray.from(gpu(), own, [own.length]));
    const norm = Math.sqrt(values.flatMap((own) => [...own]).reduce((total, value) => total + value * value, 0));
    for (const form of ['serial', 'workgroup64', 'workgroup256'] as const) {
      using clip = gradNorm(gpu(), arrays, 3, form);
      const got = await readGradNorm(clip);
      expectClose([got.norm, got.factor, got.nonFinite], [norm, 3 / (norm + 1e-6), 0], 1e-6, 0);
    }
    for (const array of arrays) array.dispose();
  });

  it('takes a norm beyond float32 for a gradient that is not finite', async () => {
    const bag = new Bag([[2]]);
    using arena = new ParameterArena(gpu(), bag);
    setGradients(bag, [[1e30, 1]]);
    using clip = clipGradNorm(arena, 1);
    expect((await readGradNorm(clip)).nonFinite).toBe(1);
  });

  it('measures without clipping when the largest norm is 0', async () => {
    const bag = new Bag([[2]]);
    using arena = new ParameterArena(gpu(), bag);
    setGradients(bag, [[30, 40]]);
    using clip = clipGradNorm(arena, 0);
    expect(await readGradNorm(clip)).toEqual({ norm: 50, factor: 1, nonFinite: 0 });
    expect(() => clipGradNorm(arena, -1)).toThrow(/at least 0/);
  });
});

class Perceptron extends Module {
  readonly hidden = { weight: new Parameter([16, 2], uniform(1)), bias: new Parameter([16], uniform(1)) };
  readonly output = { weight: new Parameter([1, 16], uniform(0.5)), bias: new Parameter([1], constant(0)) };
}

/** Learns x0 * x1 on a fixed batch. */
function lossOf(model: Perceptron) {
  const x = random(11, 2 * 32);
  const y = Float32Array.from({ length: 32 }, (_, i) => x[2 * i]! * x[2 * i + 1]!);
  const { hidden, output } = model;
  const h = relu(linear(tensor(gpu(), x, [32, 2]), hidden.weight.tensor, hidden.bias.tensor));
  const predicted = linear(h, output.weight.tensor, output.bias.tensor);
  return mean(square(sub(predicted, tensor(gpu(), y, [32, 1]))), null);
}

function trainStep(model: Perceptron, arena: ParameterArena, optimizer: Optimizer): void {
  gpu().scope(() => {
    arena.zeroGrad();
    backward([lossOf(model)]);
    optimizer.step({ learningRate: 0.02, clip: clipGradNorm(arena, 1) });
  });
}

describe('training', () => {
  it('brings the loss down and its memory back to where it was', async () => {
    const model = new Perceptron();
    using arena = new ParameterArena(gpu(), model, { segmentBytes: 512 });
    using optimizer = adam(arena);
    using first = gpu().scope(() => lossOf(model));
    const before = await first.item();
    const { liveBytes, liveBuffers } = gpu().memoryReport();
    for (let step = 0; step < 100; step++) {
      trainStep(model, arena, optimizer);
      await gpu().flush();
    }
    expect(gpu().memoryReport()).toMatchObject({ liveBytes, liveBuffers });
    using last = gpu().scope(() => lossOf(model));
    expect(await last.item()).toBeLessThan(before / 10);
  });

  it('gives the same bits from the same seed, and continues from a saved state as if never interrupted', async () => {
    const run = async (interrupted: boolean) => {
      const model = new Perceptron();
      using arena = new ParameterArena(gpu(), model, { seed: 5 });
      using optimizer = adam(arena, { weightDecay: 0.01, decoupled: true });
      for (let step = 0; step < 4; step++) trainStep(model, arena, optimizer);
      if (!interrupted) {
        for (let step = 0; step < 4; step++) trainStep(model, arena, optimizer);
        return await arena.state();
      }
      const saved = { model: await arena.state(), optimizer: await optimizer.state() };
      const resumed = new Perceptron();
      using other = new ParameterArena(gpu(), resumed, { seed: 6 });
      using again = adam(other, { weightDecay: 0.01, decoupled: true });
      other.load([...saved.model].map(([name, { data }]) => [name, data] as const));
      again.load(saved.optimizer);
      expect(again.steps).toBe(4);
      for (let step = 0; step < 4; step++) trainStep(resumed, other, again);
      return await other.state();
    };
    const reference = await run(false);
    expect(await run(false)).toEqual(reference);
    expect(await run(true)).toEqual(reference);
  });

  it('trains only what is not frozen', async () => {
    const model = new Perceptron();
    using arena = new ParameterArena(gpu(), model, { frozen: (name) => name.startsWith('hidden.') });
    using optimizer = sgd(arena, { momentum: 0.9 });
    const before = await arena.state();
    trainStep(model, arena, optimizer);
    const after = await arena.state();
    expect(after.get('hidden.weight')).toEqual(before.get('hidden.weight'));
    expect(after.get('output.weight')).not.toEqual(before.get('output.weight'));
    expect([...(await optimizer.state()).tensors.keys()]).toEqual([
      'output.weight.momentum_buffer',
      'output.bias.momentum_buffer',
    ]);
  });

  it('adds gradients up over several backward passes', async () => {
    const model = new Perceptron();
    using arena = new ParameterArena(gpu(), model);
    gpu().scope(() => backward([add(lossOf(model), scale(lossOf(model), 2, 0))]));
    const once = await arena.gradients();
    arena.zeroGrad();
    gpu().scope(() => {
      backward([lossOf(model)]);
      backward([scale(lossOf(model), 2, 0)]);
    });
    const twice = await arena.gradients();
    for (const [name, { data }] of once) expectClose(twice.get(name)!.data, data, 1e-5, 1e-7);
  });

  it('refuses the state of another optimizer', async () => {
    using arena = new ParameterArena(gpu(), new Bag([[2]]));
    using momentum = sgd(arena);
    using other = adam(arena);
    const state = await momentum.state();
    expect(() => other.load(state)).toThrow(/no p\.0\.exp_avg; it belongs to another model or another optimizer/);
  });
});
