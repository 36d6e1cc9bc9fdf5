import { describe, expect, it } from 'vitest';
import { poolSentences } from '../../src/autograd/ops/poolSentences.ts';
import { backward } from '../../src/autograd/tape.ts';
import { tensor } from '../../src/autograd/tensor.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { useGpu } from '../support/gpu.ts';
import { expectClose, gradcheck, randomInput, uniform } from '../support/numeric.ts';

const gpu = useGpu();

/** Ids in runs with gaps, as tokenized reports have them: -1 for special tokens and padding. */
function sentenceIds(reports: number, tokens: number, sentences: number, seed: number): Int32Array {
  const draws = uniform(seed, reports * tokens, -1, sentences);
  return Int32Array.from(draws, (u) => Math.floor(u));
}

describe('poolSentences', () => {
  const shapes = [
    [1, 1, 1, 1],
    [2, 5, 16, 3],
    [3, 17, 7, 4],
    [2, 9, 64, 12],
  ] as const;
  for (const [reports, tokens, width, sentences] of shapes) {
    for (const reduction of ['sum', 'mean'] as const) {
      it(`pools ${reports} x ${tokens} tokens of width ${width} into ${sentences} sentences (${reduction})`, async () => {
        const hidden = uniform(1, reports * tokens * width);
        const ids = sentenceIds(reports, tokens, sentences, tokens);
        const pooled = new Float64Array(reports * sentences * width);
        const counts = new Float64Array(reports * sentences);
        for (let t = 0; t < reports * tokens; t++) {
          if (ids[t]! < 0) continue;
          const sentence = Math.floor(t / tokens) * sentences + ids[t]!;
          counts[sentence]! += 1;
          for (let c = 0; c < width; c++) pooled[sentence * width + c]! += hidden[t * width + c]!;
        }
        const mask = Array.from(counts, (count) => (count > 0 ? 1 : 0));
        if (reduction === 'mean')
          for (let i = 0; i < pooled.length; i++) pooled[i]! /= Math.max(1, counts[Math.floor(i / width)]!);
        const report = new Float64Array(reports * width);
        for (let i = 0; i < reports * width; i++) {
          const b = Math.floor(i / width);
          const real = [...Array(sentences).keys()].filter((p) => mask[b * sentences + p]);
          for (const p of real) report[i]! += pooled[(b * sentences + p) * width + (i % width)]! / real.length;
        }
        const got = poolSentences(
          tensor(gpu(), hidden, [reports, tokens, width]),
          tensor(gpu(), ids, [reports, tokens], { dtype: 'i32' }),
          sentences,
          { reduction },
        );
        expectClose(await got.sentences.data(), pooled);
        expectClose(await got.report.data(), report);
        expect(got.mask.dtype).toBe('i32');
        expect([...(await got.mask.data())]).toEqual(mask);
      });
    }
  }

  it('has the right gradient through the sentences and through the report', async () => {
    const ids = tensor(gpu(), [-1, 0, 0, 2, 2, -1, 1, 1, 1, -1, -1, -1], [2, 6], { dtype: 'i32' });
    for (const width of [5, 8]) {
      for (const reduction of ['sum', 'mean'] as const) {
        const input = randomInput(3, [2, 6, width]);
        await gradcheck(gpu(), [input], (x) => poolSentences(x!, ids, 3, { reduction }).sentences);
        await gradcheck(gpu(), [input], (x) => poolSentences(x!, ids, 3, { reduction }).report);
      }
    }
  });

  it('gives a zero report and no gradient to tokens outside every sentence', async () => {
    const hidden = tensor(gpu(), uniform(1, 12), [1, 3, 4], { requiresGrad: true });
    const none = tensor(gpu(), [-1, -1, 7], [1, 3], { dtype: 'i32' });
    const { sentences, mask, report } = poolSentences(hidden, none, 2);
    backward(
      [sentences, report],
      [NDArray.from(gpu(), uniform(2, 8), [1, 2, 4]), NDArray.from(gpu(), uniform(3, 4), [1, 4])],
    );
    expect([...(await mask.data())]).toEqual([0, 0]);
    expect([...(await report.data())]).toEqual([0, 0, 0, 0]);
    expect([...(await hidden.grad!.read())]).toEqual(new Array(12).fill(0));
  });

  it('refuses ids of another shape or dtype', () => {
    const hidden = tensor(gpu(), uniform(1, 24), [2, 3, 4]);
    expect(() => poolSentences(hidden, tensor(gpu(), [0, 0], [1, 2], { dtype: 'i32' }), 1)).toThrow(/sentence ids/);
    expect(() => poolSentences(hidden, tensor(gpu(), new Array(6).fill(0), [2, 3]), 1)).toThrow(/sentence ids/);
  });
});
