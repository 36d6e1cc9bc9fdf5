import { describe, expect, it } from 'vitest';
import { noGrad } from '../../../src/autograd/tape.ts';
import { tensor } from '../../../src/autograd/tensor.ts';
import { loadMedKlip } from '../../../src/models/systems/medKlip.ts';
import { useGpu } from '../../support/gpu.ts';
import { expectClose, uniform } from '../../support/numeric.ts';
import { asFile } from '../../support/systems/files.ts';
import { bert, flat } from '../../support/systems/plain.ts';
import { plainMedKlip } from '../../support/systems/plainSystems.ts';
import { clinicalBertState, medKlipState, wrappedMedKlip } from '../../support/systems/published.ts';

const gpu = useGpu();

const state = medKlipState();
const wrapped = wrappedMedKlip(state);
const text = clinicalBertState({ vocabulary: 30, positions: 16 });
const files = [asFile(wrapped, 'medklip.pth'), asFile(text, 'bert.bin')];

describe('MedKLIP', () => {
  it('looks at the regions and classifies findings as a plain implementation does', async () => {
    const pixels = uniform(41, 2 * 224 * 224 * 3, -2, 2);
    const texts = [
      [2, 9, 14, 3],
      [2, 5, 28, 17, 8, 3],
      [2, 11, 3],
    ];
    const { model, arena } = await loadMedKlip(gpu(), files);
    const { described, output } = noGrad(() => {
      const whole = { dtype: 'i32' } as const;
      const padded = texts.flatMap((ids) => [...ids, 0, 0, 0].slice(0, 6));
      const mask = texts.flatMap((ids) => Array.from({ length: 6 }, (_, i) => (i < ids.length ? 1 : 0)));
      const described = model.describe(tensor(gpu(), padded, [3, 6], whole), tensor(gpu(), mask, [3, 6], whole));
      return { described, output: model.forward(tensor(gpu(), pixels, [2, 224, 224, 3]), described) };
    });
    const descriptions = texts.map((ids) => bert(text, 'bert.', ids, 12, 2).at(-1)![0]!);
    expectClose(await described.data(), flat(descriptions), 1e-4, 1e-4);
    expect(output.grid).toEqual([14, 14]);
    expect(output.attention.shape).toEqual([2, 3, 196]);
    const expected = [0, 1].map((b) => {
      const data = Float64Array.from(pixels.subarray(b * 224 * 224 * 3, (b + 1) * 224 * 224 * 3));
      return plainMedKlip(state, { height: 224, width: 224, channels: 3, data }, descriptions);
    });
    const attention = flat(expected.flatMap((each) => each.attention));
    expect(Math.max(...attention) / Math.min(...attention)).toBeGreaterThan(1.5);
    expectClose(await output.attention.data(), attention, 2e-4, 1e-8);
    expectClose(
      await output.logits.data(),
      expected.flatMap((each) => flat(each.logits)),
      1e-4,
      1e-4,
    );
    arena.dispose();
  });

  it('says that BioClinicalBERT is missing when only its own checkpoint is given', async () => {
    await expect(loadMedKlip(gpu(), [asFile(wrapped, 'medklip.pth')])).rejects.toThrow(
      'medklip.pth is not all of MedKLIP: expected a tensor bert.embeddings.word_embeddings.weight, found',
    );
  });

  it('lists a decoder layer that a checkpoint lacks', async () => {
    const cut = new Map([...wrapped].filter(([name]) => !name.includes('decoder.layers.3.self_attn')));
    await expect(loadMedKlip(gpu(), [asFile(cut, 'cut.pth'), asFile(text, 'bert.bin')])).rejects.toThrow(
      '4 missing (decoder.layers.3.self_attn.in_proj_weight, decoder.layers.3.self_attn.in_proj_bias, ' +
        'decoder.layers.3.self_attn.out_proj.weight, decoder.layers.3.self_attn.out_proj.bias).',
    );
  });
});
