import { afterEach, describe, expect, it } from 'vitest';
import { cat } from '../../src/autograd/ops/shape.ts';
import { backward, noGrad } from '../../src/autograd/tape.ts';
import { Tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { GroundingModel } from '../../src/models/grounding.ts';
import {
  contrast,
  contrastiveObjective,
  defaultObjective,
  encodeImages,
  encodeTexts,
  objectives,
  type PairBatch,
} from '../../src/models/objective.ts';
import { ParameterArena } from '../../src/nn/arena.ts';
import { BatchNorm2d } from '../../src/nn/layers.ts';
import { seedModules } from '../../src/nn/module.ts';
import { backwardInChunks, chunksOf, objectiveInChunks } from '../../src/train/gradCache.ts';
import { useGpu } from '../support/gpu.ts';
import { expectSame, type NamedValues, randomPairs, smallGrounding } from '../support/pairs.ts';

const gpu = useGpu();

describe('chunksOf', () => {
  it('makes as few chunks as there can be, all but equal in size', () => {
    expect(chunksOf(10, 4).map(({ count }) => count)).toEqual([4, 3, 3]);
    for (const [rows, size] of [
      [1, 1],
      [7, 7],
      [7, 3],
      [128, 24],
      [5, 1],
    ] as const) {
      const chunks = chunksOf(rows, size);
      const counts = chunks.map(({ count }) => count);
      expect(chunks.length).toBe(Math.ceil(rows / size));
      expect(Math.max(...counts)).toBeLessThanOrEqual(size);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      let next = 0;
      for (const { first, count } of chunks) {
        expect(first).toBe(next);
        next += count;
      }
      expect(next).toBe(rows);
    }
  });
});

/** Everything that must be equal: losses, embeddings with their gradients, parameter gradients, running statistics. */
async function resultOf(
  arena: ParameterArena,
  losses: { readonly total: Tensor; readonly globalVt: Tensor },
  embeddings: object,
): Promise<NamedValues> {
  const result = new Map<string, Float32Array>();
  const put = async (name: string, tensor: Tensor): Promise<void> => {
    result.set(name, Float32Array.from(await tensor.data()));
  };
  await put('total', losses.total);
  await put('globalVt', losses.globalVt);
  for (const [name, tensor] of Object.entries(embeddings) as [string, Tensor | undefined][]) {
    if (!tensor?.grad) continue;
    await put(name, tensor);
    await put(`${name}.grad`, new Tensor(tensor.grad));
  }
  for (const [name, { data }] of await arena.gradients()) result.set(`${name}.grad`, data);
  for (const [name, { data }] of await arena.state()) if (name.includes('running')) result.set(name, data);
  return result;
}

describe('GradCache', () => {
  const made: { dispose(): void }[] = [];
  afterEach(() => {
    for (const item of made.splice(0)) item.dispose();
  });

  function start(options: { dropout: number; frozenNorms: boolean }) {
    const model = new GroundingModel(smallGrounding(options.dropout));
    const arena = new ParameterArena(gpu(), model, { seed: 3 });
    made.push(arena);
    seedModules(model, 5, 2);
    if (options.frozenNorms) {
      for (const [, module] of model.namedModules()) if (module instanceof BatchNorm2d) module.training = false;
    }
    return { model, arena };
  }

  function pairs(rows: number, seed: number): PairBatch {
    const batch = randomPairs(gpu(), rows, seed);
    made.push(batch.image, batch.ids, batch.mask, batch.sentences.ids, batch.words!.ids, batch.duplicates!);
    return batch;
  }

  /** The same chunks on one tape; `embeddings` are leaves, so that their gradients can be looked at. */
  async function onOneTape(batch: PairBatch, config: typeof defaultObjective, chunkSize: number, options: Options) {
    const { model, arena } = start(options);
    const rows = (tensor: Tensor, first: number, count: number): Tensor =>
      new Tensor(
        tensor.array.view([count, ...tensor.shape.slice(1)], tensor.array.strides, first * tensor.array.strides[0]!),
      );
    const kept = gpu().scope(() => {
      const parts = chunksOf(batch.image.shape[0]!, chunkSize).map(({ first, count }) => {
        const units = (given: { ids: Tensor; count: number }) => ({
          ids: rows(given.ids, first, count),
          count: given.count,
        });
        const text = { ids: rows(batch.ids, first, count), mask: rows(batch.mask, first, count) };
        return {
          ...encodeImages(model, rows(batch.image, first, count), config),
          ...encodeTexts(model, { ...text, sentences: units(batch.sentences), words: units(batch.words!) }, config),
        };
      });
      const names = ['global', 'regions', 'report', 'units', 'mask'] as const;
      const joined = names.map((name) => {
        const tensors = parts.flatMap((made) => made[name] ?? []);
        if (tensors.length === 0) return undefined;
        // Masks hold whole numbers, which `cat` takes as they are.
        return tensors[0]!.dtype === 'f32' ? cat(tensors, 0) : noGrad(() => cat(tensors, 0));
      });
      const leaves = joined.map((tensor) =>
        tensor ? new Tensor(tensor.array, { requiresGrad: tensor.dtype === 'f32' }) : undefined,
      );
      const [global, regions, report, units, mask] = leaves as [Tensor, Tensor?, Tensor?, Tensor?, Tensor?];
      const losses = contrast({ global, regions }, { report: report!, units, mask }, config, batch.duplicates);
      backward([losses.total]);
      const outputs = joined.flatMap((tensor, i) => (tensor && leaves[i]?.grad ? [tensor] : []));
      backward(
        outputs,
        leaves.flatMap((leaf) => leaf?.grad ?? []),
      );
      return { losses, embeddings: { global, regions, report, units } };
    });
    const result = await resultOf(arena, kept.losses, kept.embeddings);
    disposeAll(kept);
    return result;
  }

  async function cached(batch: PairBatch, config: typeof defaultObjective, chunkSize: number, options: Options) {
    const { model, arena } = start(options);
    const before = gpu().memoryReport();
    const kept = gpu().scope(() => backwardInChunks(model, batch, config, chunkSize));
    const { global, regions } = kept.images;
    const { report, units } = kept.texts;
    const result = await resultOf(arena, kept.losses, { global, regions, report, units });
    disposeAll(kept);
    const { liveBuffers, liveBytes } = gpu().memoryReport();
    expect([liveBuffers, liveBytes], 'memory comes back').toEqual([before.liveBuffers, before.liveBytes]);
    return result;
  }

  interface Options {
    readonly dropout: number;
    readonly frozenNorms: boolean;
  }

  function disposeAll(value: object): void {
    if (value instanceof Tensor) value.dispose();
    else for (const part of Object.values(value)) if (typeof part === 'object' && part) disposeAll(part);
  }

  for (const [i, objective] of objectives.entries()) {
    it(`gives the gradients of the whole batch where batch norms keep their statistics: ${objective}`, async () => {
      const config = { ...defaultObjective, objective, duplicates: i % 2 ? ('mask' as const) : ('keep' as const) };
      const options = { dropout: 0, frozenNorms: true };
      const batch = pairs(7, 40 + i);
      const { model, arena } = start(options);
      const losses = gpu().scope(() => {
        const whole = contrastiveObjective(model, batch, config);
        backward([whole.total]);
        return { total: whole.total, globalVt: whole.globalVt };
      });
      const expected = await resultOf(arena, losses, {});
      disposeAll(losses);
      for (const chunkSize of [3, 1]) {
        const got = await cached(batch, config, chunkSize, options);
        for (const name of ['global', 'regions', 'report', 'units']) {
          got.delete(name);
          got.delete(`${name}.grad`);
        }
        expectSame(got, expected);
      }
      // And the embeddings' gradients, which the whole batch has in the middle of its tape.
      expectSame(await cached(batch, config, 3, options), await onOneTape(batch, config, 7, options));
    });

    it(`gives the gradients of the same chunks on one tape, with dropout and batch statistics: ${objective}`, async () => {
      const config = { ...defaultObjective, objective };
      const options = { dropout: 0.3, frozenNorms: false };
      const batch = pairs(7, 60 + i);
      const expected = await onOneTape(batch, config, 3, options);
      const got = await cached(batch, config, 3, options);
      expectSame(got, expected);
      for (const [name, values] of expected) {
        if (name.includes('running')) expect(got.get(name), `${name} moves once per chunk`).toEqual(values);
      }
    });
  }

  it('sends a loss scale through, with f16 activations', async () => {
    const batch = pairs(5, 31);
    const gradients = async (dtype: 'f32' | 'f16', scale: number, chunkSize?: number) => {
      const { model, arena } = start({ dropout: 0, frozenNorms: true });
      model.dtype = dtype;
      gpu().scope(() => {
        const upstream = NDArray.from(gpu(), [scale], []);
        if (chunkSize !== undefined) backwardInChunks(model, batch, defaultObjective, chunkSize, upstream);
        else backward([contrastiveObjective(model, batch, defaultObjective).total], [upstream]);
      });
      return new Map([...(await arena.gradients())].map(([name, { data }]) => [name, data.map((x) => x / scale)]));
    };
    expectSame(await gradients('f32', 1024, 2), await gradients('f32', 1, 2), 1e-6);
    expectSame(await gradients('f16', 1024, 2), await gradients('f16', 1024), 1e-2);
  });

  it('evaluates a batch in chunks as the whole one', async () => {
    const batch = pairs(5, 9);
    const { model } = start({ dropout: 0.3, frozenNorms: true });
    model.setTraining(false);
    const totals = [5, 2].map((size) =>
      gpu().scope(() => objectiveInChunks(model, batch, defaultObjective, size).total),
    );
    const [whole, chunked] = await Promise.all(totals.map((total) => total.item()));
    for (const total of totals) total.dispose();
    expect(Math.abs(whole! - chunked!)).toBeLessThan(1e-5);
  });
});
