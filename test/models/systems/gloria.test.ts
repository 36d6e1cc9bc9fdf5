import { describe, expect, it } from 'vitest';
import { noGrad } from '../../../src/autograd/tape.ts';
import { tensor } from '../../../src/autograd/tensor.ts';
import { gloriaAttention, loadGloria } from '../../../src/models/systems/gloria.ts';
import { useGpu } from '../../support/gpu.ts';
import { expectClose, uniform } from '../../support/numeric.ts';
import { asFile } from '../../support/systems/files.ts';
import { flat, type Rows } from '../../support/systems/plain.ts';
import { gloriaImage, gloriaWords, plainGloriaAttention } from '../../support/systems/plainSystems.ts';
import { gloriaState } from '../../support/systems/published.ts';

const gpu = useGpu();

const state = gloriaState({ vocabulary: 40, positions: 24 });
const size = 40;
const pixels = uniform(5, size * size);
const ids = [2, 17, 5, 33, 21, 8, 3];
// [CLS] and the words are units, [SEP] is not; the third word has two pieces.
const units = [0, 1, 2, 3, 3, 4, -1];

describe('GLoRIA', () => {
  it('has the regions, words and attention of a plain implementation', async () => {
    const { model, arena } = await loadGloria(gpu(), [asFile(state, 'gloria.ckpt')]);
    const result = noGrad(() => {
      const { regions, grid, global } = model.encodeImage(tensor(gpu(), pixels, [1, size, size, 1]));
      const whole = { dtype: 'i32' } as const;
      const tokens = model.encodeText(
        tensor(gpu(), ids, [1, 7], whole),
        tensor(
          gpu(),
          ids.map(() => 1),
          [1, 7],
          whole,
        ),
      );
      const words = model.poolUnits(tokens, { ids: tensor(gpu(), units, [1, 7], whole), count: 5 }).units;
      return { regions, grid, global, words };
    });
    expect(result.grid).toEqual([19, 19]);
    const { regions, global } = gloriaImage(state, size, pixels);
    const words = gloriaWords(state, ids, units, 5);
    expectClose(await result.global.data(), flat(global), 1e-4, 1e-4);
    expectClose(await result.regions.data(), flat(regions), 1e-4, 1e-4);
    expectClose(await result.words.data(), flat(words), 1e-4, 1e-4);
    arena.dispose();
    // Products of such features are far from each other, as in the published model; small ones test the softmaxes.
    const small = (rows: Rows) => rows.map((row) => row.map((value) => value / 8));
    const attended = gloriaAttention(
      tensor(gpu(), flat(small(regions)), [361, 128]),
      tensor(gpu(), flat(small(words)), [5, 128]),
    );
    const expected = plainGloriaAttention(small(regions), small(words));
    expect(Math.max(...expected) / Math.min(...expected)).toBeGreaterThan(1.5);
    expectClose(await attended.data(), expected, 1e-4, 1e-9);
  });

  it('gives every region the same weight when there is one word: nothing tells regions apart', async () => {
    const attended = gloriaAttention(tensor(gpu(), uniform(1, 12), [4, 3]), tensor(gpu(), uniform(2, 3), [1, 3]));
    expectClose(await attended.data(), [0.25, 0.25, 0.25, 0.25]);
  });

  it('finds the network inside of a Lightning checkpoint and leaves the state of the optimizer out', async () => {
    const lightning = new Map([...state].map(([name, values]) => [`state_dict.${name}`, values]));
    lightning.set('optimizer_states.0.state.3.exp_avg', { shape: [2], data: new Float32Array(2) });
    const { arena } = await loadGloria(gpu(), [asFile(lightning, 'lightning.ckpt')]);
    const loaded = (await arena.state()).get('local_embedder.weight');
    expect(loaded!.data).toEqual(state.get('gloria.img_encoder.local_embedder.weight')!.data);
    arena.dispose();
  });

  it('lists what a checkpoint lacks, has too much or in another shape, by the published names', async () => {
    const without = new Map(state);
    without.delete('gloria.img_encoder.model.layer3.5.conv2.weight');
    await expect(loadGloria(gpu(), [asFile(without, 'cut.ckpt')])).rejects.toThrow(
      'cut.ckpt does not fit GLoRIA: 1 missing (img_encoder.model.layer3.5.conv2.weight).',
    );
    const longer = new Map(state).set('gloria.img_encoder.model.layer3.6.conv1.weight', {
      shape: [1],
      data: new Float32Array(1),
    });
    longer.set('gloria.img_encoder.global_embedder.bias', { shape: [5], data: new Float32Array(5) });
    await expect(loadGloria(gpu(), [asFile(longer, 'long.ckpt')])).rejects.toThrow(
      '1 not known (img_encoder.model.layer3.6.conv1.weight); 1 of another shape (img_encoder.global_embedder.bias: expected [128], found [5])',
    );
  });

  it('refuses weights of something else and one file given twice', async () => {
    const other = asFile(new Map([['fc.weight', { shape: [2, 2], data: new Float32Array(4) }]]), 'resnet.pth');
    await expect(loadGloria(gpu(), [other])).rejects.toThrow(
      'resnet.pth is not all of GLoRIA: expected a tensor img_encoder.local_embedder.weight, found 1 others, starting with fc.weight.',
    );
    const file = asFile(state, 'gloria.ckpt');
    await expect(loadGloria(gpu(), [file, file])).rejects.toThrow('is in gloria.ckpt and again in gloria.ckpt');
  });
});
