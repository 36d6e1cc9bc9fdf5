import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/errors.ts';
import { nodeCodecs } from '../../src/io/codecs.node.ts';
import { decodeDicom } from '../../src/io/dicom/decode.ts';
import { renderStored, type VoiChoice, windowFunction } from '../../src/io/dicom/voi.ts';
import { decodeImage } from '../../src/io/image.node.ts';
import { type Attributes, dicomFile, dicomImage, rleFrame, syntaxes, words } from '../support/dicomWriter.ts';

const decode = (bytes: Uint8Array) => decodeDicom(bytes, 'x.dcm', nodeCodecs);
const stored = async (bytes: Uint8Array): Promise<number[]> => [...(await decode(bytes)).samples];
const shown = async (bytes: Uint8Array, choice?: VoiChoice): Promise<number[]> =>
  [...renderStored(await decode(bytes), choice).data].map((value) => Math.round(value * 1e4) / 1e4);
const refusal = async (bytes: Uint8Array): Promise<string> => {
  const error = await decode(bytes).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(DataError);
  return (error as Error).message;
};

const values = [0, 1, 256, 4095, 65535, 513];
const image16 = (attributes: Attributes = {}, options = {}) => dicomImage(3, 2, values, 16, attributes, options);
const window = (center: string, width: string, more: Attributes = {}): Attributes => ({
  '00281050': ['DS', center],
  '00281051': ['DS', width],
  ...more,
});

describe('decodeDicom', () => {
  it.each([
    ['implicit little endian', syntaxes.implicit],
    ['explicit little endian', syntaxes.explicit],
    ['explicit big endian', syntaxes.bigEndian],
  ])('reads 16-bit samples in %s', async (_name, syntax) => {
    expect(await stored(image16({}, { syntax }))).toEqual(values);
  });

  it('reads deflated files', async () => {
    const pack = (bytes: Uint8Array) => new Uint8Array(deflateRawSync(bytes));
    expect(await stored(image16({}, { syntax: syntaxes.deflated, pack }))).toEqual(values);
  });

  it.each([syntaxes.implicit, syntaxes.explicit])(
    'reads files without preamble and meta group (%s)',
    async (syntax) => {
      const plain = image16({ '00080016': ['UI', '1.2.840.10008.5.1.4.1.1.7'] }, { syntax, preamble: false });
      expect([...(await decodeImage(plain, 'old')).data.slice(0, 1)]).toEqual([0]);
      expect(await stored(plain)).toEqual(values);
    },
  );

  it('reads run-length encoded samples of 8 and 16 bits, and of three colours', async () => {
    const high = values.map((value) => value >> 8);
    const low = values.map((value) => value & 255);
    const rle = { syntax: syntaxes.rle };
    expect(await stored(image16({}, { ...rle, fragments: [rleFrame([high, low])] }))).toEqual(values);
    expect(await stored(dicomImage(3, 2, [], 8, {}, { ...rle, fragments: [rleFrame([low])] }))).toEqual(low);
    const rgb = { '00280002': ['US', 3], '00280004': ['CS', 'RGB'] } as const;
    const colour = rleFrame([[255, 0, 0, 10], [0, 255, 0, 10], [0, 0, 255, 10]]); // biome-ignore format: one row a plane
    const luma = await stored(dicomImage(2, 2, [], 8, rgb, { ...rle, fragments: [colour] }));
    expect(luma.map((value) => Math.round(value * 100) / 100)).toEqual([76.25, 149.68, 29.07, 10]);
  });

  it('reads 8-bit images with an odd number of pixels', async () => {
    expect(await stored(dicomImage(3, 1, [7, 8, 9], 8))).toEqual([7, 8, 9]);
  });

  it('takes pairs of 8-bit samples in big-endian words apart', async () => {
    const words8 = { '7fe00010': ['OW', Uint8Array.of(2, 1, 0, 3)] } as const;
    expect(await stored(dicomImage(3, 1, [], 8, words8, { syntax: syntaxes.bigEndian }))).toEqual([1, 2, 3]);
  });

  it('does without rescale and window where a header holds nonsense', async () => {
    const nonsense = { '00281053': ['DS', '1e308'], '00281052': ['DS', 'abc'], ...window('1', '0') } as const;
    expect(await shown(dicomImage(3, 1, [10, 60, 110], 8, nonsense))).toEqual([0, 0.5, 1]);
  });

  it('clears bits above those stored, and extends the sign of those', async () => {
    const bits = { '00280101': ['US', 12], '00280102': ['US', 11] } as const;
    expect(await stored(image16(bits))).toEqual([0, 1, 256, 4095, 4095, 513]);
    expect(await stored(image16({ ...bits, '00280103': ['US', 1] }))).toEqual([0, 1, 256, -1, -1, 513]);
    const upper = { '00280101': ['US', 12], '00280102': ['US', 15] } as const;
    expect(await stored(image16(upper))).toEqual([0, 0, 16, 255, 4095, 32]);
  });

  it('takes colours as luma, interleaved or by planes', async () => {
    const rgb = { '00280002': ['US', 3], '00280004': ['CS', 'RGB'] } as const;
    const pixels = { '7fe00010': ['OB', Uint8Array.of(255, 0, 0, 100, 100, 100)] } as const;
    const planes = { '7fe00010': ['OB', Uint8Array.of(255, 100, 0, 100, 0, 100)], '00280006': ['US', 1] } as const;
    expect(await shown(dicomImage(2, 1, [], 8, { ...rgb, ...pixels }))).toEqual([0.299, 0.3922]);
    expect(await shown(dicomImage(2, 1, [], 8, { ...rgb, ...planes }))).toEqual([0.299, 0.3922]);
  });

  it('takes the first of several frames', async () => {
    const frames = { '00280008': ['IS', '2'], '7fe00010': ['OB', Uint8Array.of(1, 2, 3, 4)] } as const;
    const image = await decode(dicomImage(2, 1, [], 8, frames));
    expect([image.header.frames, [...image.samples]]).toEqual([2, [1, 2]]);
  });

  it('names the transfer syntax that it does not read', async () => {
    expect(await refusal(image16({}, { syntax: '1.2.840.10008.1.2.4.201' }))).toBe(
      'x.dcm: DICOM files with the transfer syntax 1.2.840.10008.1.2.4.201 (High-Throughput JPEG 2000 (Lossless Only)) ' +
        'are not read. Convert the file to Explicit VR Little Endian.',
    );
    expect(await refusal(image16({}, { syntax: '1.2.3' }))).toMatch(/^x\.dcm: .* "1\.2\.3" \(unknown\) are not read/);
  });

  it('refuses what has no pixels, too few, or a kind that is not read', async () => {
    expect(await refusal(dicomFile({ '00080060': ['CS', 'SR'] }))).toMatch(/no Rows \(0028,0010\)/);
    expect(await refusal(dicomImage(3, 2, [1, 2], 8))).toMatch(
      /expected 6 bytes of pixels for 3 x 2 in 8 bits, found 2/,
    );
    const palette = { '00280004': ['CS', 'PALETTE COLOR'] } as const;
    expect(await refusal(image16(palette))).toMatch(/photometric interpretation "PALETTE COLOR" are not read/);
    expect(await refusal(image16({ '00280100': ['US', 32] }))).toMatch(/expected 8 or 16 Bits Allocated .* found 32/);
    expect(await refusal(image16({ '00280101': ['US', 17] }))).toMatch(/expected 1 to 16 Bits Stored .* found 17/);
  });

  it('refuses sizes that only a header claims, before anything is allocated', async () => {
    const huge = { '00280010': ['US', 65535], '00280011': ['US', 65535] } as const;
    expect(await refusal(image16(huge))).toMatch(/claims 65535 x 65535 pixels, more than the 50000000 that are read/);
    const large = { '00280010': ['US', 6000], '00280011': ['US', 6000] } as const;
    const message = await refusal(image16(large, { syntax: syntaxes.rle, fragments: [rleFrame([[1], [2]])] }));
    expect(message).toMatch(/claims 6000 x 6000 pixels, more than \d+ bytes can hold/);
  });

  it('stops to inflate a file that unpacks without end', { timeout: 30_000 }, async () => {
    const bomb = deflateRawSync(Buffer.alloc(2 ** 27 + 2 ** 20));
    const pack = () => new Uint8Array(bomb);
    expect(await refusal(image16({}, { syntax: syntaxes.deflated, pack }))).toMatch(/unpacks to more than 128 MiB/);
  });
});

describe('renderStored', () => {
  it('stretches the full range where the file names no window', async () => {
    expect(await shown(dicomImage(3, 1, [10, 60, 110], 8))).toEqual([0, 0.5, 1]);
    expect(await shown(dicomImage(2, 1, [7, 7], 8))).toEqual([0, 0]);
  });

  it('leaves padding out of the full range', async () => {
    const padding = { '00280120': ['US', 0] } as const;
    expect(await shown(dicomImage(4, 1, [0, 100, 150, 200], 8, padding))).toEqual([0, 0, 0.5, 1]);
  });

  it('applies LINEAR by default: half a step off the centre, one less than the width', async () => {
    // PS3.3 C.11.2.1.2.1 with c = 100.5, w = 101: 0 up to 50, 1 above 150, (x - 100) / 100 + 0.5 between.
    const file = dicomImage(5, 1, [50, 75, 100, 150, 151], 8, window('100.5', '101'));
    expect(await shown(file)).toEqual([0, 0.25, 0.5, 1, 1]);
  });

  it('applies LINEAR_EXACT and SIGMOID', async () => {
    const exact = { '00281056': ['CS', 'LINEAR_EXACT'] } as const;
    expect(await shown(dicomImage(4, 1, [49, 75, 100, 151], 8, window('100', '100', exact)))).toEqual([
      0, 0.25, 0.5, 1,
    ]);
    const sigmoid = { '00281056': ['CS', 'SIGMOID'] } as const;
    // 1 / (1 + exp(-4 (x - c) / w)): at c - w/4 that is 1 / (1 + e).
    expect(await shown(dicomImage(2, 1, [75, 100], 8, window('100', '100', sigmoid)))).toEqual([0.2689, 0.5]);
  });

  it('takes a width of 1 as a threshold, and refuses windows without width', () => {
    const step = windowFunction({ center: 10, width: 1, function: 'LINEAR' });
    expect([9, 9.5, 10].map(step)).toEqual([0, 0, 1]);
    expect(() => windowFunction({ center: 1, width: 0.5, function: 'LINEAR' })).toThrow(
      /a width of 1 or more; found 1, 0\.5/,
    );
    expect(() => windowFunction({ center: 1, width: 0, function: 'SIGMOID' })).toThrow(/a width above 0/);
  });

  it('uses the first of several windows, or the one that is chosen, or the caller', async () => {
    const two = { '00281055': ['LO', 'NORMAL\\HARD'] } as const;
    const file = dicomImage(2, 1, [50, 100], 8, window('100.5\\50.5', '101\\101', two));
    const { header } = await decode(file);
    expect(header.windows.map(({ explanation }) => explanation)).toEqual(['NORMAL', 'HARD']);
    expect(await shown(file)).toEqual([0, 0.5]);
    expect(await shown(file, { window: 1 })).toEqual([0.5, 1]);
    expect(await shown(file, { center: 50, width: 200, function: 'LINEAR_EXACT' })).toEqual([0.5, 0.75]);
    expect(await shown(file, { range: 'full' })).toEqual([0, 1]);
    await expect(shown(file, { window: 2 })).rejects.toThrow('The image has 2 windows, there is no 2.');
  });

  it('windows values after slope and intercept', async () => {
    const rescale = { '00281053': ['DS', '2'], '00281052': ['DS', '-100'] } as const;
    expect(await shown(dicomImage(3, 1, [50, 75, 100], 8, window('50.5', '101', rescale)))).toEqual([0, 0.5, 1]);
  });

  it('inverts MONOCHROME1 after the window', async () => {
    const mono1 = { '00280004': ['CS', 'MONOCHROME1'] } as const;
    const file = dicomImage(4, 1, [0, 25, 75, 255], 8, window('50.5', '101', mono1));
    expect(await shown(file)).toEqual([1, 0.75, 0.25, 0]);
  });

  it('looks values up in a VOI LUT, rather than in a window', async () => {
    const lut = { '00283002': ['US', [3, 10, 8]], '00283006': ['OW', words([0, 51, 255])] } as const;
    const file = dicomImage(4, 1, [5, 11, 12, 200], 8, window('100', '10', { '00283010': ['SQ', [lut]] }));
    expect(await shown(file)).toEqual([0, 0.2, 1, 1]);
    expect(await shown(file, { window: 0 })).toEqual([0, 0, 0, 1]);
  });

  it('looks values up in a modality LUT', async () => {
    const lut = { '00283002': ['US', [2, 0, 16]], '00283006': ['OW', words([1000, 2000])] } as const;
    const file = dicomImage(2, 1, [0, 1], 8, window('1500', '2000', { '00283000': ['SQ', [lut]] }));
    expect(await shown(file)).toEqual([0.2501, 0.7504]);
  });

  it('finds window and rescale in the functional groups of enhanced files', async () => {
    const groups = [
      {
        '00289132': ['SQ', [window('100.5', '101')]],
        '00289145': ['SQ', [{ '00281052': ['DS', '50'], '00281053': ['DS', '1'] }]],
      },
    ] as const;
    expect(await shown(dicomImage(2, 1, [0, 50], 8, { '52009229': ['SQ', groups as never] }))).toEqual([0, 0.5]);
  });

  it('never turns or flips the image, whatever side it names', async () => {
    const sides = { '00200020': ['CS', 'R\\F'], '00200062': ['CS', 'L'], '00181202': ['CS', 'YES'] } as const;
    const image = await decode(dicomImage(2, 1, [0, 255], 8, sides));
    expect([...renderStored(image).data]).toEqual([0, 1]);
    expect(image.header).toMatchObject({ patientOrientation: 'R\\F', laterality: 'L' });
  });
});

it('takes nothing that names a patient out of a file', async () => {
  const patient = {
    '00100010': ['PN', 'DOE^JANE'],
    '00100020': ['LO', 'ID-4711'],
    '00100030': ['DA', '19500102'],
    '00080080': ['LO', 'General Hospital'],
  } as const;
  const image = await decode(image16(patient));
  expect(JSON.stringify(image)).not.toMatch(/DOE|4711|19500102|Hospital/);
});
