import { describe, expect, it } from 'vitest';
import { subgroupMatrixFeature } from '../../../src/gpu/adapter.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import { commonCard, standInGpu } from '../../../src/gpu/standIn.ts';
import { matmul } from '../../../src/kernels/matmul.ts';
import { NDArray } from '../../../src/kernels/ndarray.ts';
import { candidatePlans } from '../../../src/kernels/tuning/candidates.ts';
import { type TuneMode, tunedPlans } from '../../../src/kernels/tuning/plans.ts';
import type { GemmProduct } from '../../../src/kernels/tuning/product.ts';

const key = 'matmul nn 256x256x512 vec4 f32';

function multiply(gpu: Gpu, depth = 512): NDArray {
  return matmul(NDArray.empty(gpu, [256, depth]), NDArray.empty(gpu, [depth, 256]));
}

/** Names of the matrix kernels that `body` records. */
function recorded(gpu: Gpu, body: () => void): string[] {
  const names: string[] = [];
  const stop = gpu.onDispatch(({ name }) => names.push(name));
  gpu.scope(body);
  stop();
  return names;
}

function open(mode: TuneMode) {
  const gpu = standInGpu();
  const plans = tunedPlans(gpu);
  plans.mode = mode;
  return { gpu, plans, products: () => recorded(gpu, () => void multiply(gpu)) };
}

describe('modes', () => {
  it('off: neither uses plans nor asks for any', () => {
    const { plans, products } = open('off');
    const usual = products();
    plans.add(key, { core: 'tile32', splits: 1, gain: 2 });
    expect(products()).toEqual(usual);
    expect(plans.requests.size).toBe(0);
  });

  it('cached: uses plans and asks for none', () => {
    const { plans, products } = open('cached');
    const usual = products();
    expect(usual[0]).toMatch(/^matmul\/tile64-vec4-nn/);
    expect(plans.requests.size).toBe(0);
    plans.add(key, { core: 'tile32', splits: 1, gain: 2 });
    expect(products()).toEqual(['matmul/tile32-vec4-nn']);
    plans.add(key, { core: 'default', splits: 1, gain: 1 });
    expect(products()).toEqual(usual);
  });

  it('on: also asks for those it has not, once', () => {
    const { gpu, plans, products } = open('on');
    products();
    products();
    expect([...plans.requests.keys()]).toEqual([key]);
    const request = plans.requests.get(key)!;
    const { run, operands } = request.repeat(gpu, (shape, dtype) => NDArray.empty(gpu, shape, dtype));
    expect(operands.map(({ shape }) => shape)).toEqual([
      [256, 512],
      [512, 256],
    ]);
    expect(gpu.scope(() => run().shape)).toEqual([256, 256]);
    plans.add(key, { core: 'default', splits: 1, gain: 1 });
    products();
    expect(plans.requests.size).toBe(0);
  });

  it('a request keeps no array alive', () => {
    const { gpu, plans, products } = open('on');
    products();
    expect(plans.requests.size).toBe(1);
    expect(gpu.memoryReport().liveBytes).toBe(0);
  });
});

describe('a plan', () => {
  it('stays as it was when a step was captured with it, also for later captures', () => {
    const { gpu, plans, products } = open('cached');
    const usual = products();
    const captured = gpu.capture(() => multiply(gpu));
    plans.add(key, { core: 'tile32', splits: 1, gain: 2 });
    expect(recorded(gpu, () => captured.run())).toEqual(usual);
    expect(products()).toEqual(usual);
    expect(plans.known.get(key)?.core).toBe('tile32');
    // Of another bucket, so nothing was captured with it.
    plans.add('matmul nn 256x256x1024 vec4 f32', { core: 'tile32', splits: 1, gain: 2 });
    expect(recorded(gpu, () => void multiply(gpu, 1024))).toEqual(['matmul/tile32-vec4-nn']);
    captured.dispose();
  });

  it('is not used where the device cannot run it', () => {
    const small = { ...commonCard, limits: { ...commonCard.limits, maxComputeWorkgroupStorageSize: 16_384 } };
    const gpu = standInGpu(small);
    const plans = tunedPlans(gpu);
    plans.mode = 'cached';
    const usual = recorded(gpu, () => void multiply(gpu));
    for (const core of ['tile128Deep', 'subgroup8'] as const) {
      plans.add(key, { core, splits: 1, gain: 2 });
      expect(recorded(gpu, () => void multiply(gpu))).toEqual(usual);
    }
  });

  it('splits long sums whatever it says, as accuracy needs it', () => {
    const { gpu, plans } = open('cached');
    plans.add('matmul nn 256x256x32768 vec4 f32', { core: 'tile64', splits: 1, gain: 2 });
    const splits: (number | undefined)[] = [];
    gpu.onDispatch((_, params) => splits.push(params.splits));
    gpu.scope(() => void multiply(gpu, 32_768));
    expect(splits[0]).toBe(4);
  });
});

describe('candidatePlans', () => {
  const product: GemmProduct = {
    kernel: 'matmul',
    form: 'nn',
    rows: 4096,
    cols: 768,
    depth: 768,
    batch: 1,
    loads: 'vec4',
    dtypes: ['f32', 'f32', 'f32'],
  };
  const sizes: readonly Partial<GemmProduct>[] = [
    {},
    { rows: 64, cols: 64, depth: 65_536 },
    { rows: 16, cols: 16, depth: 16 },
    { rows: 200_704, cols: 64, depth: 147 },
    { rows: 196, cols: 196, depth: 768, batch: 128 },
    { rows: 1, cols: 1, depth: 1 },
  ];

  it('is a short list of different plans with the usual one first', () => {
    for (const gpu of [standInGpu(), standInGpu({ ...commonCard, adapter: software(8) })]) {
      for (const size of sizes) {
        const plans = candidatePlans(gpu, { ...product, ...size });
        expect(plans.length).toBeGreaterThanOrEqual(1);
        expect(plans.length).toBeLessThanOrEqual(40);
        expect(new Set(plans.map(({ core, splits }) => `${core} ${splits}`)).size).toBe(plans.length);
      }
    }
    expect(candidatePlans(standInGpu(), product).length).toBeGreaterThan(15);
  });

  it('has only cores that the device runs', () => {
    const cores = (subgroupSize: number): Set<string> => {
      const gpu = standInGpu({ ...commonCard, adapter: software(subgroupSize) });
      return new Set(candidatePlans(gpu, product).map(({ core }) => core));
    };
    expect(cores(8)).toEqual(new Set(['subgroup8', 'subgroup8Wide']));
    expect(cores(4)).toEqual(new Set(['subgroup4', 'subgroup4Wide', 'subgroup4Widest']));
    const tensorCores = { ...commonCard.adapter, halfMatrices: true };
    const features = [...commonCard.features, subgroupMatrixFeature];
    const card = standInGpu({ ...commonCard, adapter: tensorCores, features });
    const withMatrices = (dtypes: GemmProduct['dtypes']): boolean =>
      candidatePlans(card, { ...product, dtypes }).some(({ core }) => core.startsWith('matrix'));
    expect([withMatrices(['f16', 'f16', 'f32']), withMatrices(['f32', 'f32', 'f32'])]).toEqual([true, false]);
    expect([...cores(0)].every((core) => core.startsWith('tile'))).toBe(true);
  });
});

function software(subgroupSize: number) {
  return { ...commonCard.adapter, kind: 'software' as const, subgroupSize };
}
