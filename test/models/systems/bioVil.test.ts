import { describe, expect, it } from 'vitest';
import { noGrad } from '../../../src/autograd/tape.ts';
import { tensor } from '../../../src/autograd/tensor.ts';
import { loadBioVil } from '../../../src/models/systems/bioVil.ts';
import { useGpu } from '../../support/gpu.ts';
import { expectClose, uniform } from '../../support/numeric.ts';
import { asFile } from '../../support/systems/files.ts';
import { flat } from '../../support/systems/plain.ts';
import { bioVilPatches, bioVilText } from '../../support/systems/plainSystems.ts';
import { bioVilImageState, cxrBertState } from '../../support/systems/published.ts';

const gpu = useGpu();

const image = bioVilImageState();
const text = cxrBertState({ vocabulary: 30, positions: 16 });
const files = [asFile(image, 'image.pt'), asFile(text, 'text.bin')];

describe('BioViL', () => {
  it('projects patches on the 15x15 grid of 480 pixels as a plain implementation does', async () => {
    const pixels = uniform(21, 480 * 480, 0, 1);
    const { model, arena } = await loadBioVil(gpu(), files);
    const patches = noGrad(() => model.encodeImage(tensor(gpu(), pixels, [1, 480, 480, 1])));
    expect(patches.shape).toEqual([1, 15, 15, 24]);
    const expected = bioVilPatches(image, 480, pixels);
    const first = expected.map((row) => row[0]!);
    expect(Math.max(...first) - Math.min(...first), 'patches differ').toBeGreaterThan(0.1);
    expectClose(await patches.data(), flat(expected), 1e-4, 1e-4);
    arena.dispose();
  });

  it('projects the [CLS] state of a text as a plain implementation does, whatever padding follows', async () => {
    const ids = [2, 9, 14, 5, 28, 3];
    const { model, arena } = await loadBioVil(gpu(), files);
    const whole = { dtype: 'i32' } as const;
    const padded = tensor(gpu(), [...ids, 0, 0], [1, 8], whole);
    const projected = noGrad(() => model.encodeText(padded, tensor(gpu(), [1, 1, 1, 1, 1, 1, 0, 0], [1, 8], whole)));
    expectClose(await projected.data(), bioVilText(text, ids), 1e-4, 1e-4);
    arena.dispose();
  });

  it('takes a text model whose names begin with bert. or not', async () => {
    const bare = new Map([...text].map(([name, values]) => [name.replace(/^bert\./, ''), values]));
    (await loadBioVil(gpu(), [asFile(image, 'image.pt'), asFile(bare, 'bare.bin')])).arena.dispose();
  });

  it('says which part is missing when only the image model is given', async () => {
    await expect(loadBioVil(gpu(), [asFile(image, 'image.pt')])).rejects.toThrow(
      'image.pt is not all of BioViL: expected a tensor bert.embeddings.word_embeddings.weight, found',
    );
  });
});
