import { describe, expect, it } from 'vitest';
import type { LocalContrastOptions } from '../../src/autograd/ops/contrastive.ts';
import { globalContrast, localContrast, phraseSimilarity } from '../../src/autograd/ops/contrastive.ts';
import { backward } from '../../src/autograd/tape.ts';
import type { Tensor } from '../../src/autograd/tensor.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import type { LocalSettings, LocalSizes } from '../support/contrastReference.ts';
import { localReference, pairLosses } from '../support/contrastReference.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

const gpu = useGpu();
const settings: LocalSettings = {
  tau1: 0.1,
  tau2: 0.25,
  tau3: 0.2,
  attention: 'cosine',
  normalization: 'regions',
  aggregation: 'sum',
};

interface Features {
  readonly sizes: LocalSizes;
  readonly v: Float32Array;
  readonly t: Float32Array;
  readonly mask: Int32Array;
}

/** Random regions and sentences; the first sentence of a report is real, the others at random. */
function features(batch: number, regions: number, sentences: number, width: number, spread = 1): Features {
  const draws = uniform(batch + sentences, batch * sentences);
  return {
    sizes: { batch, regions, sentences, width },
    v: uniform(1 + width, batch * regions * width, -spread, spread),
    t: uniform(2 + width, batch * sentences * width, -2 * spread, 2 * spread),
    mask: Int32Array.from(draws, (u, i) => (i % sentences === 0 || u > -0.2 ? 1 : 0)),
  };
}

function upload({ sizes, v, t, mask }: Features): { v: Tensor; t: Tensor; mask: Tensor } {
  const { batch, regions, sentences, width } = sizes;
  return {
    v: tensor(gpu(), v, [batch, regions, width], { requiresGrad: true }),
    t: tensor(gpu(), t, [batch, sentences, width], { requiresGrad: true }),
    mask: tensor(gpu(), mask, [batch, sentences], { dtype: 'i32' }),
  };
}

/** Uneven weights of the two losses, so that a gradient that mixes them up is found out. */
const upstream = { vt: 0.7, tv: 1.9 };

function backwardLosses({ lossVt, lossTv }: { readonly lossVt: Tensor; readonly lossTv: Tensor }): void {
  backward([lossVt, lossTv], [NDArray.from(gpu(), [upstream.vt], []), NDArray.from(gpu(), [upstream.tv], [])]);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Checks a gradient against central differences of a float64 function along random directions. */
function expectGradient(grad: ArrayLike<number>, at: Float32Array, loss: (x: Float64Array) => number): void {
  const size = Math.sqrt(dot(grad, grad));
  for (const seed of [11, 12, 13]) {
    const direction = uniform(seed, at.length);
    const step = 1e-5;
    const moved = (sign: number) => Float64Array.from(at, (value, i) => value + sign * step * direction[i]!);
    const numeric = (loss(moved(1)) - loss(moved(-1))) / (2 * step);
    const difference = Math.abs(numeric - dot(grad, direction));
    expect(difference, `numeric ${numeric}, analytic ${dot(grad, direction)}`).toBeLessThan(1e-4 * size + 1e-7);
  }
}

/** Compares everything that `localContrast` gives with the float64 definition. */
async function expectLocal(given: Features, options: LocalSettings, extra: LocalContrastOptions = {}): Promise<void> {
  const { sizes, mask } = given;
  const tensors = upload(given);
  const result = localContrast(tensors.v, tensors.t, tensors.mask, { ...options, ...extra });
  backwardLosses(result);
  const [v, t] = [Float64Array.from(given.v), Float64Array.from(given.t)];
  const expected = localReference(v, t, mask, sizes, options);
  if (result.attention) expectClose(await result.attention.data(), expected.attention, 3e-5, 2e-6);
  expectClose(await result.cosine.data(), expected.cosine, 1e-4, 1e-5);
  expectClose(await result.similarity.data(), expected.similarity, 1e-4, 1e-5);
  const losses = pairLosses(expected.similarity, sizes.batch, options.tau1);
  expectClose([await result.lossVt.item(), await result.lossTv.item()], [losses.vt, losses.tv], 1e-4, 1e-5);
  const total = (regions: Float64Array, sentences: Float64Array): number => {
    const { similarity } = localReference(regions, sentences, mask, sizes, options);
    const { vt, tv } = pairLosses(similarity, sizes.batch, options.tau1);
    return upstream.vt * vt + upstream.tv * tv;
  };
  expectGradient(await tensors.v.grad!.read(), given.v, (x) => total(x, t));
  expectGradient(await tensors.t.grad!.read(), given.t, (x) => total(v, x));
}

describe('localContrast', () => {
  for (const attention of ['cosine', 'dot'] as const) {
    for (const normalization of ['regions', 'sentences_regions'] as const) {
      for (const aggregation of ['sum', 'mean'] as const) {
        it(`is the definition for ${attention}, ${normalization}, ${aggregation}`, async () => {
          const options = { ...settings, attention, normalization, aggregation };
          await expectLocal(features(3, 7, 4, 10), options, { keepAttention: true });
          await expectLocal(features(5, 9, 3, 5), options, { reportsPerTile: 2 });
        });
      }
    }
  }

  for (const [batch, regions, sentences, width] of [
    [2, 1, 3, 7],
    [3, 6, 1, 4],
    [2, 33, 2, 9],
    [2, 5, 2, 2],
  ] as const) {
    it(`takes a batch of ${batch} with ${regions} regions, ${sentences} sentences, width ${width} in both forms`, async () => {
      for (const form of ['gram', 'direct'] as const) {
        await expectLocal(features(batch, regions, sentences, width), settings, { form, reportsPerTile: 1 });
      }
    });
  }

  it('stays finite and exact where dot products saturate the attention', async () => {
    const given = features(3, 9, 3, 16, 60);
    await expectLocal(given, { ...settings, attention: 'dot' });
    const tensors = upload(given);
    backwardLosses(localContrast(tensors.v, tensors.t, tensors.mask, { ...settings, attention: 'dot' }));
    for (const { grad } of [tensors.v, tensors.t]) expect([...(await grad!.read())].every(Number.isFinite)).toBe(true);
  });

  it('does not look at padded sentences and gives them no gradient', async () => {
    const given = features(3, 5, 4, 6);
    const { width } = given.sizes;
    const isPadding = (i: number): boolean => given.mask[Math.floor(i / width)] === 0;
    expect(given.mask).toContain(0);
    const results = await Promise.all(
      [0, 1e18].map(async (filler) => {
        const tensors = upload({ ...given, t: given.t.map((value, i) => (isPadding(i) ? filler : value)) });
        const result = localContrast(tensors.v, tensors.t, tensors.mask, { attention: 'dot' });
        backwardLosses(result);
        const dT = await tensors.t.grad!.read();
        expect([...dT].filter((_, i) => isPadding(i)).every((value) => value === 0)).toBe(true);
        return [await result.similarity.data(), await result.lossVt.data(), await tensors.v.grad!.read(), dT];
      }),
    );
    expect(results[0]).toEqual(results[1]);
  });

  it('gives exactly no loss and no gradient for a batch of one', async () => {
    for (const attention of ['cosine', 'dot'] as const) {
      const tensors = upload(features(1, 6, 3, 8));
      const { lossVt, lossTv } = localContrast(tensors.v, tensors.t, tensors.mask, { attention });
      backwardLosses({ lossVt, lossTv });
      expect([await lossVt.item(), await lossTv.item()]).toEqual([0, 0]);
      for (const { grad } of [tensors.v, tensors.t]) {
        expect([...(await grad!.read())].every((value) => value === 0)).toBe(true);
      }
    }
  });

  it('has finite gradients at regions and sentences that are zero', async () => {
    const given = features(2, 4, 2, 6);
    given.v.fill(0, 0, 4 * 6);
    given.t.fill(0, 0, 6);
    const tensors = upload(given);
    const result = localContrast(tensors.v, tensors.t, tensors.mask);
    backwardLosses(result);
    expect([...(await result.similarity.data())].every(Number.isFinite)).toBe(true);
    for (const { grad } of [tensors.v, tensors.t]) expect([...(await grad!.read())].every(Number.isFinite)).toBe(true);
  });

  it('stays finite with a report without sentences', async () => {
    const given = features(3, 4, 2, 6);
    given.mask.fill(0, 2, 4);
    for (const normalization of ['regions', 'sentences_regions'] as const) {
      for (const aggregation of ['sum', 'mean'] as const) {
        const tensors = upload(given);
        const result = localContrast(tensors.v, tensors.t, tensors.mask, { normalization, aggregation });
        backwardLosses(result);
        expect((await result.similarity.data())[1]).toBe(0);
        expect([...(await result.similarity.data())].every(Number.isFinite)).toBe(true);
        for (const { grad } of [tensors.v, tensors.t]) {
          expect([...(await grad!.read())].every(Number.isFinite)).toBe(true);
        }
      }
    }
  });

  it('lets gradients into similarities and cosines', async () => {
    const mask = tensor(gpu(), [1, 1, 1, 0, 1, 1], [3, 2], { dtype: 'i32' });
    const inputs = [randomInput(1, [3, 5, 6]), randomInput(2, [3, 2, 6])];
    await gradcheck(gpu(), inputs, (v, t) => localContrast(v!, t!, mask).similarity);
    await gradcheck(gpu(), inputs, (v, t) => localContrast(v!, t!, mask).cosine);
  });

  it('gives the same bits in every run', async () => {
    const results = await Promise.all(
      [0, 1].map(async () => {
        const tensors = upload(features(4, 20, 3, 12));
        const { lossVt, lossTv } = localContrast(tensors.v, tensors.t, tensors.mask, { reportsPerTile: 3 });
        backwardLosses({ lossVt, lossTv });
        return [await lossVt.data(), await lossTv.data(), await tensors.v.grad!.read(), await tensors.t.grad!.read()];
      }),
    );
    expect(results[0]).toEqual(results[1]);
  });

  it('refuses shapes and temperatures that make no sense', () => {
    const { v, t, mask } = upload(features(2, 3, 2, 4));
    const other = tensor(gpu(), uniform(1, 24), [3, 2, 4]);
    expect(() => localContrast(v, other, mask)).toThrow(/regions \[B, M, D\]/);
    expect(() => localContrast(v, t, tensor(gpu(), [1, 1, 1, 1], [2, 2]))).toThrow(/i32 mask/);
    expect(() => localContrast(v, t, mask, { tau2: 0 })).toThrow(/tau2/);
    const keys = tensor(gpu(), [1, 1, 1], [3], { dtype: 'i32' });
    expect(() => localContrast(v, t, mask, { duplicates: keys })).toThrow(/Duplicate reports/);
  });
});

describe('globalContrast', () => {
  for (const [batch, width] of [
    [2, 3],
    [5, 33],
    [70, 8],
  ] as const) {
    it(`contrasts ${batch} images and reports of width ${width} as the definition says`, async () => {
      const [a, b] = [uniform(1, batch * width), uniform(2, batch * width)];
      const [image, report] = [a, b].map((x) => tensor(gpu(), x, [batch, width], { requiresGrad: true }));
      const result = globalContrast(image!, report!, { tau1: 0.2 });
      backwardLosses(result);
      const cosines = (x: ArrayLike<number>, y: ArrayLike<number>): Float64Array =>
        Float64Array.from({ length: batch * batch }, (_, index) => {
          const row = (z: ArrayLike<number>, i: number) => Array.from({ length: width }, (__, d) => z[i * width + d]!);
          const [p, q] = [row(x, Math.floor(index / batch)), row(y, index % batch)];
          return dot(p, q) / Math.max(Math.sqrt(dot(p, p) * dot(q, q)), 1e-8);
        });
      const expected = cosines(a, b);
      expectClose(await result.similarity.data(), expected, 1e-5, 1e-6);
      const { vt, tv } = pairLosses(expected, batch, 0.2);
      expectClose([await result.lossVt.item(), await result.lossTv.item()], [vt, tv], 1e-5, 1e-6);
      const total = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
        const losses = pairLosses(cosines(x, y), batch, 0.2);
        return upstream.vt * losses.vt + upstream.tv * losses.tv;
      };
      expectGradient(await image!.grad!.read(), a, (x) => total(x, b));
      expectGradient(await report!.grad!.read(), b, (x) => total(a, x));
    });
  }

  it('gives exactly no loss and no gradient for a batch of one', async () => {
    const [image, report] = [1, 2].map((seed) => tensor(gpu(), uniform(seed, 6), [1, 6], { requiresGrad: true }));
    const result = globalContrast(image!, report!);
    backwardLosses(result);
    expect([await result.lossVt.item(), await result.lossTv.item()]).toEqual([0, 0]);
    for (const x of [image, report]) expect([...(await x!.grad!.read())].every((value) => value === 0)).toBe(true);
  });

  it('keeps the digits of a loss close to 0', async () => {
    // Two orthogonal pairs: the loss is log(1 + exp(-1 / tau1)) on both sides.
    const image = tensor(gpu(), [1, 0, 0, 1], [2, 2]);
    const { lossVt, lossTv } = globalContrast(image, image, { tau1: 0.05 });
    const exact = Math.log1p(Math.exp(-20));
    expectClose([await lossVt.item(), await lossTv.item()], [exact, exact], 1e-4, 0);
  });

  it('leaves equal reports out of the negatives, by keys and by pairs', async () => {
    const [batch, width] = [4, 6];
    const keys = [3, 8, 3, 5];
    const pairs = keys.flatMap((a) => keys.map((b) => (a === b ? 1 : 0)));
    const forms = [
      tensor(gpu(), keys, [batch], { dtype: 'i32' }),
      tensor(gpu(), pairs, [batch, batch], { dtype: 'i32' }),
    ];
    const grads: ArrayLike<number>[] = [];
    for (const duplicates of forms) {
      const [image, report] = [1, 2].map((seed) =>
        tensor(gpu(), uniform(seed, batch * width), [batch, width], { requiresGrad: true }),
      );
      const result = globalContrast(image!, report!, { duplicates });
      backwardLosses(result);
      const similarity = await result.similarity.data();
      const { vt, tv } = pairLosses(similarity, batch, 0.1, (i, k) => keys[i] === keys[k]);
      expectClose([await result.lossVt.item(), await result.lossTv.item()], [vt, tv], 1e-5, 1e-6);
      grads.push(await image!.grad!.read());
    }
    expect(grads[0]).toEqual(grads[1]);
    const duplicates = forms[0];
    await gradcheck(
      gpu(),
      [randomInput(1, [batch, width]), randomInput(2, [batch, width])],
      (a, b) => globalContrast(a!, b!, { tau1: 0.5, duplicates }).lossTv,
    );
  });
});

describe('phraseSimilarity', () => {
  it('is the cosine of each region with the phrase, 0 for a region of zeros', async () => {
    const [regions, width] = [9, 5];
    const [v, phrase] = [uniform(1, regions * width), uniform(2, width)];
    v.fill(0, 0, width);
    const expected = Array.from({ length: regions }, (_, m) => {
      const row = v.subarray(m * width, (m + 1) * width);
      return dot(row, phrase) / Math.max(Math.sqrt(dot(row, row) * dot(phrase, phrase)), 1e-8);
    });
    const got = phraseSimilarity(NDArray.from(gpu(), v, [regions, width]), NDArray.from(gpu(), phrase, [width]));
    expect(got.shape).toEqual([regions]);
    expectClose(await got.read(), expected, 1e-5, 1e-6);
  });
});
