import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/errors.ts';
import { createRandom } from '../../src/data/random.ts';
import type { GrayImage } from '../../src/data/types.ts';
import { nodeCodecs } from '../../src/io/codecs.node.ts';
import { decodeImage } from '../../src/io/image.node.ts';
import { decodeImage as decodeAnywhere } from '../../src/io/image.ts';
import { dicomImage, rleFrame, syntaxes } from '../support/dicomWriter.ts';
import { materials } from '../support/materials.ts';
import { mutate } from '../support/mutate.ts';

/** `GROUNDRAY_FUZZ=20` tries twenty times as many cases; `GROUNDRAY_FUZZ_SEED` chooses others. */
const effort = Number(process.env.GROUNDRAY_FUZZ ?? 1);
const seed = process.env.GROUNDRAY_FUZZ_SEED ?? '1';

const slowestCase = 10_000;
const mostMemory = 1.5 * 2 ** 30;

type Reader = (bytes: Uint8Array, source: string) => Promise<GrayImage>;
const readers: Readonly<Record<string, Reader>> = {
  native: decodeImage,
  portable: (bytes, source) => decodeAnywhere(bytes, source, nodeCodecs),
};

/** Reads mutants of every file: only a DataError beginning with the source may come, in bounded time and memory. */
async function fuzz(files: ReadonlyMap<string, Uint8Array>, cases: number, chosen: readonly string[]): Promise<void> {
  const names = [...files.keys()];
  const counts = { read: 0, refused: 0 };
  const before = process.memoryUsage.rss();
  for (let i = 0; i < cases; i++) {
    const random = createRandom(`${seed}:${i}`);
    const name = names[i % names.length]!;
    const reader = random.pick(chosen);
    const mutant = mutate(files.get(name)!, files.get(random.pick(names))!, random);
    const label = `case ${i} of seed ${seed} (${name}, ${reader})`;
    const start = performance.now();
    try {
      const { width, height, data } = await readers[reader]!(mutant, 'source');
      if (data.length !== width * height) throw new Error(`${label}: ${data.length} pixels for ${width} x ${height}`);
      if (data.some((value) => !(value >= 0 && value <= 1))) throw new Error(`${label}: a value outside of [0, 1]`);
      counts.read++;
    } catch (error) {
      if (!(error instanceof DataError) || !error.message.startsWith('source: ')) {
        throw new Error(`${label}: ${error instanceof Error ? error.stack : error}`, { cause: error });
      }
      counts.refused++;
    }
    expect(performance.now() - start, label).toBeLessThan(slowestCase);
  }
  expect(process.memoryUsage.rss() - before).toBeLessThan(mostMemory);
  // Both happen, or the mutants are too tame or too wild to test anything.
  expect(counts.read).toBeGreaterThan(cases / 50);
  expect(counts.refused).toBeGreaterThan(cases / 50);
}

const ramp = Array.from({ length: 24 * 20 }, (_, i) => (i * 37) & 4095);

async function pictures(): Promise<Map<string, Uint8Array>> {
  const rgb = sharp(
    Uint8Array.from({ length: 24 * 20 * 3 }, (_, i) => (i * 7) & 255),
    {
      raw: { width: 24, height: 20, channels: 3 },
    },
  );
  const files: [string, Buffer][] = [
    ['grey8.png', await rgb.clone().toColourspace('b-w').png().toBuffer()],
    ['rgb16.png', await rgb.clone().toColourspace('rgb16').png().toBuffer()],
    ['palette.png', await rgb.clone().png({ palette: true, colours: 16 }).toBuffer()],
    ['interlaced.png', await rgb.clone().ensureAlpha(0.5).png({ progressive: true }).toBuffer()],
    ['baseline.jpg', await rgb.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer()],
    ['progressive.jpg', await rgb.clone().toColourspace('b-w').jpeg({ progressive: true }).toBuffer()],
  ];
  return new Map(files.map(([name, bytes]) => [name, new Uint8Array(bytes)]));
}

async function dicoms(): Promise<Map<string, Uint8Array>> {
  const window = {
    '00280101': ['US', 12],
    '00280102': ['US', 11],
    '00281050': ['DS', '2048\\100'],
    '00281051': ['DS', '4096\\100'],
    '00283010': ['SQ', [{ '00283002': ['US', [4, 0, 8]], '00283006': ['OW', Uint8Array.of(1, 0, 2, 0, 3, 0, 4, 0)] }]],
  } as const;
  const make = (options: Parameters<typeof dicomImage>[5]) => dicomImage(24, 20, ramp, 16, window, options);
  const low = ramp.map((value) => value & 255);
  const jpeg = await sharp(Uint8Array.from(low), { raw: { width: 24, height: 20, channels: 1 } })
    .toColourspace('b-w')
    .jpeg()
    .toBuffer();
  const halves = [new Uint8Array(jpeg.subarray(0, 300)), new Uint8Array(jpeg.subarray(300))];
  return new Map([
    ['implicit', make({ syntax: syntaxes.implicit })],
    ['explicit', make({ syntax: syntaxes.explicit })],
    ['bare', make({ syntax: syntaxes.implicit, preamble: false })],
    ['big endian', make({ syntax: syntaxes.bigEndian })],
    ['deflated', make({ syntax: syntaxes.deflated, pack: (bytes) => new Uint8Array(deflateRawSync(bytes)) })],
    ['RLE', make({ syntax: syntaxes.rle, fragments: [rleFrame([ramp.map((value) => value >> 8), low])] })],
    ['JPEG', dicomImage(24, 20, [], 8, {}, { syntax: '1.2.840.10008.1.2.4.50', fragments: halves })],
  ]);
}

describe('damaged images are refused with a sentence, or read', () => {
  it('PNG and JPEG, by both decoders', { timeout: 600_000 * effort }, async () => {
    await fuzz(await pictures(), 1500 * effort, ['native', 'portable']);
  });

  it('DICOM', { timeout: 600_000 * effort }, async () => {
    await fuzz(await dicoms(), 1500 * effort, ['native']);
  });
});

const folder = `${materials}/data/dicom/syntax`;
describe.skipIf(!existsSync(folder))('damaged real DICOM files (beside the checkout)', () => {
  const files = new Map<string, Uint8Array>();
  beforeAll(() => {
    for (const name of readdirSync(folder)) {
      if (name.endsWith('.dcm') && statSync(`${folder}/${name}`).size < 12_000) {
        files.set(name, new Uint8Array(readFileSync(`${folder}/${name}`)));
      }
    }
  });

  it('are refused with a sentence, or read', { timeout: 600_000 * effort }, async () => {
    expect(files.size).toBeGreaterThan(10);
    await fuzz(files, 1000 * effort, ['native']);
  });
});
