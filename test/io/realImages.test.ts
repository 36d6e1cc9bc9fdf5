import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/errors.ts';
import { nodeCodecs } from '../../src/io/codecs.node.ts';
import { type DicomImage, decodeDicom } from '../../src/io/dicom/decode.ts';
import { renderStored, valueRange } from '../../src/io/dicom/voi.ts';
import { decodeImage } from '../../src/io/image.node.ts';
import { decodeImage as decodeAnywhere } from '../../src/io/image.ts';
import { decodePng } from '../../src/io/png.ts';
import { materials } from '../support/materials.ts';

interface Expected {
  readonly file: string;
  readonly transfer_syntax_uid: string | null;
  readonly photometric: string;
  readonly rows: number;
  readonly columns: number;
  readonly bits_allocated: number;
  readonly bits_stored: number;
  readonly pixel_representation: number;
  readonly samples_per_pixel: number;
  readonly frames: number;
  readonly window_center?: string;
  readonly window_width?: string;
  readonly rescale_slope?: string;
  readonly rescale_intercept?: string;
  readonly lossless: boolean;
  readonly decoded_min?: number;
  readonly decoded_max?: number;
  readonly decoded_mean?: number;
  readonly decoded_sha256_little_endian?: string;
  readonly decoded_samples?: readonly { row: number; col: number; value: number }[];
}

const folder = `${materials}/data/dicom`;
const present = existsSync(folder);
const expectations = (part: string): Expected[] =>
  present ? (JSON.parse(readFileSync(`${folder}/${part}/expected.json`, 'utf8')) as Expected[]) : [];
const all = [...expectations('chest'), ...expectations('syntax')];

const read = (file: string): Promise<DicomImage> => decodeDicom(readFileSync(`${folder}/${file}`), file, nodeCodecs);

/** Stored values as the reference wrote them: bits above Bits Stored cleared, except where all 16 are used. */
function digest({ samples, header }: DicomImage): string {
  const mask = 2 ** header.bitsStored - 1;
  const raw = header.bitsAllocated === 8 ? Uint8Array.from(samples) : Uint16Array.from(samples, (v) => v & mask);
  return createHash('sha256').update(new Uint8Array(raw.buffer)).digest('hex');
}

/** Files that hold no image that can be read, and what is said about them. */
const refused: Readonly<Record<string, RegExp>> = {
  'syntax/MR_truncated.dcm': /^syntax\/MR_truncated\.dcm: .*an element is longer than the file, so the file is cut off/,
  'syntax/meta_missing_tsyntax.dcm': /expected a transfer syntax \(0002,0010\) in the DICOM file meta information/,
  // Begins one byte before the first element.
  'syntax/no_meta.dcm': /expected a DICOM file, but it cannot be parsed/,
};

describe.skipIf(!present)('real DICOM files (beside the checkout)', () => {
  it.each(all.filter(({ file }) => !refused[file]).map((expected) => [expected.file, expected] as const))(
    '%s decodes to its expected values',
    async (file, expected) => {
      const image = await read(file);
      const { header, samples } = image;
      if (expected.transfer_syntax_uid !== null) {
        expect(image.syntax.uid).toBe(expected.transfer_syntax_uid);
        expect(header).toMatchObject({
          photometric: expected.photometric,
          rows: expected.rows,
          columns: expected.columns,
          bitsAllocated: expected.bits_allocated,
          bitsStored: expected.bits_stored,
          signed: expected.pixel_representation === 1,
          samplesPerPixel: expected.samples_per_pixel,
          frames: expected.frames,
        });
      }
      expect(samples.length).toBe(header.rows * header.columns);
      if (expected.decoded_sha256_little_endian) expect(digest(image)).toBe(expected.decoded_sha256_little_endian);
      // The reference for this file left the sign bit of 15-bit samples where it was.
      const unsigned = file === 'syntax/JLSL_16_15_1_1F.dcm';
      if (expected.decoded_min !== undefined && expected.samples_per_pixel === 1 && !unsigned) {
        expect(valueRange({ samples })).toEqual([expected.decoded_min, expected.decoded_max]);
        const mean = Array.from(samples).reduce((sum, value) => sum + value, 0) / samples.length;
        expect(mean).toBeCloseTo(expected.decoded_mean!, 3);
      }
      for (const { row, col, value } of expected.decoded_samples ?? []) {
        expect(samples[row * header.columns + col]).toBe(value);
      }
      if (expected.window_center !== undefined) {
        const numbers = (text = ''): number[] => text.replace(/[[\]]/g, '').split(',').filter(Boolean).map(Number);
        expect(header.windows.map(({ center }) => center)).toEqual(numbers(expected.window_center));
        expect(header.windows.map(({ width }) => width)).toEqual(numbers(expected.window_width));
        expect(header.modality).toEqual({
          slope: Number(expected.rescale_slope || 1),
          intercept: Number(expected.rescale_intercept || 0),
        });
      }
      const { data } = renderStored(image);
      expect(data.every((value) => value >= 0 && value <= 1)).toBe(true);
    },
  );

  it.each(Object.entries(refused))('%s is refused with a sentence', async (file, sentence) => {
    const error = await read(file).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).message).toMatch(sentence);
  });

  it('decodes the 15-bit radiograph to the reference picture', async () => {
    const reference = decodePng(readFileSync(`${folder}/chest/reference-mono1-15bit.png`), 'reference');
    const { samples } = await read('chest/mono1-15bit-jpeg-lossless-sv1.dcm');
    expect(reference).toMatchObject({ width: 512, height: 544, channels: 1, full: 65535 });
    expect(Buffer.compare(Buffer.from(samples.buffer), Buffer.from(new Uint16Array(reference.data).buffer))).toBe(0);
  });

  it('shows the same radiograph alike as MONOCHROME1 and MONOCHROME2', async () => {
    const [one, two] = await Promise.all(
      ['nih-mono1-8bit-jpeg-baseline', 'nih-mono2-8bit-jpeg-baseline'].map(async (name) =>
        renderStored(await read(`chest/${name}.dcm`)),
      ),
    );
    const worst = one!.data.reduce((most, value, i) => Math.max(most, Math.abs(value - two!.data[i]!)), 0);
    expect(worst).toBeLessThan(0.06); // Two lossy encodings of one image.
  });

  it('says what a gzip file is not', async () => {
    const zipped = readFileSync(`${folder}/syntax/zipMR.gz`);
    await expect(decodeImage(zipped, 'zipMR.gz')).rejects.toThrow(/^zipMR\.gz: expected a PNG, JPEG or DICOM image/);
    expect(await decodeImage(gunzipSync(zipped), 'MR')).toMatchObject({ width: 64, height: 64 });
  });
});

const originals = `${materials}/data/cxr-originals`;
describe.skipIf(!existsSync(originals))('real image files (beside the checkout)', () => {
  const files = existsSync(originals)
    ? readFileSync(`${originals}/manifest.csv`, 'utf8')
        .split('\n')
        .slice(1)
        .flatMap((line) => /^([^,]+),(?:"[^"]*"|[^,]*),(PNG|JPEG),\w+,(\d+),(\d+),/.exec(line) ?? [])
    : [];
  const rows = Array.from({ length: files.length / 5 }, (_, i) => files.slice(5 * i + 1, 5 * i + 5));

  it('lists all of them', () => expect(rows.length).toBe(12));

  it.each(rows)(
    '%s (%s) has its size, and the same values from both decoders',
    async (file, _format, width, height) => {
      const bytes = readFileSync(`${originals}/${file}`);
      const native = await decodeImage(bytes, file!);
      const portable = await decodeAnywhere(bytes, file!, nodeCodecs);
      expect([native.width, native.height]).toEqual([Number(width), Number(height)]);
      const differences = native.data.map((value, i) => Math.abs(value - portable.data[i]!));
      expect(differences.reduce((most, value) => Math.max(most, value), 0)).toBe(0);
      const mean = native.data.reduce((sum, value) => sum + value, 0) / native.data.length;
      expect(mean).toBeGreaterThan(0.1);
      expect(mean).toBeLessThan(0.9);
    },
  );
});
