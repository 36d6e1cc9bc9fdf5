import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/errors.ts';
import { nodeCodecs } from '../../src/io/codecs.node.ts';
import { orient } from '../../src/io/gray.ts';
import { decodeImage } from '../../src/io/image.node.ts';
import { decodeImage as decodeAnywhere } from '../../src/io/image.ts';

const portable = (bytes: Uint8Array) => decodeAnywhere(bytes, 'x', nodeCodecs);
const rounded = (data: Float32Array): number[] => [...data].map((value) => Math.round(value * 1000) / 1000);

/** Decodes with both decoders, which must agree to the bit. */
async function decodeBoth(bytes: Uint8Array): Promise<{ width: number; height: number; data: Float32Array }> {
  const [native, other] = [await decodeImage(bytes, 'x'), await portable(bytes)];
  expect([native.width, native.height]).toEqual([other.width, other.height]);
  expect(Buffer.compare(Buffer.from(native.data.buffer), Buffer.from(other.data.buffer))).toBe(0);
  return native;
}

const refusal = async (decoding: Promise<unknown>): Promise<string> => {
  const error = await decoding.catch((e: unknown) => e);
  expect(error).toBeInstanceOf(DataError);
  return (error as Error).message;
};

const noise = (width: number, height: number, channels: 1 | 2 | 3 | 4) =>
  sharp(
    Uint8Array.from({ length: width * height * channels }, (_, i) => (i * i * 31 + i * 7) & 255),
    {
      raw: { width, height, channels },
    },
  );

/** CRC of PNG, annex D. Node has one of its own only since 20.15. */
function crcOf(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** A PNG of hand-made rows (filter 0), written chunk by chunk: sharp cannot write every kind. */
function rawPng(
  width: number,
  height: number,
  bits: number,
  colour: number,
  rows: number[][],
  more: [string, number[]][] = [],
) {
  const chunk = (type: string, content: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(type), content]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(content.length);
    check.writeUInt32BE(crcOf(body));
    return Buffer.concat([length, body, check]);
  };
  const header = Buffer.from([0, 0, 0, width, 0, 0, 0, height, bits, colour, 0, 0, 0]);
  return new Uint8Array(
    Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk('IHDR', header),
      ...more.map(([type, content]) => chunk(type, Buffer.from(content))),
      chunk('IDAT', deflateSync(Buffer.from(rows.flatMap((row) => [0, ...row])))),
      chunk('IEND', Buffer.alloc(0)),
    ]),
  );
}

describe('decodeImage, native and portable', () => {
  it('spreads grey PNG of 1, 2 and 4 bits over the full range', async () => {
    expect(rounded((await decodeBoth(rawPng(3, 2, 1, 0, [[0b10100000], [0b01000000]]))).data)).toEqual([
      1, 0, 1, 0, 1, 0,
    ]);
    expect(rounded((await decodeBoth(rawPng(4, 1, 2, 0, [[0b00011011]]))).data)).toEqual([0, 0.333, 0.667, 1]);
    expect(rounded((await decodeBoth(rawPng(3, 1, 4, 0, [[0x0f, 0x30]]))).data)).toEqual([0, 1, 0.2]);
  });

  it('reads palettes, with transparent entries on black', async () => {
    const palette: [string, number[]] = ['PLTE', [255, 255, 255, 255, 0, 0, 100, 100, 100]];
    const indices = [[0b00011000]];
    expect(rounded((await decodeBoth(rawPng(3, 1, 2, 3, indices, [palette]))).data)).toEqual([1, 0.299, 0.392]);
    const transparent = rawPng(3, 1, 2, 3, indices, [palette, ['tRNS', [0]]]);
    expect(rounded((await decodeBoth(transparent)).data)).toEqual([0, 0.299, 0.392]);
  });

  it('puts a transparent colour on black', async () => {
    const key: [string, number[]] = ['tRNS', [0, 200]];
    expect(rounded((await decodeBoth(rawPng(2, 1, 8, 0, [[200, 51]], [key]))).data)).toEqual([0, 0.2]);
  });

  it.each([1, 2, 3, 4] as const)('agrees on 8 and 16 bits, interlaced or not, with %i channels', async (channels) => {
    for (const progressive of [false, true]) {
      const eight = noise(19, 13, channels);
      const [narrow, wide] = channels < 3 ? ['b-w', 'grey16'] : ['srgb', 'rgb16'];
      await decodeBoth(await eight.clone().toColourspace(narrow).png({ progressive }).toBuffer());
      await decodeBoth(await eight.clone().toColourspace(wide).png({ progressive }).toBuffer());
    }
  });

  it('agrees on JPEG: grey and colour, subsampled or not, baseline and progressive', async () => {
    for (const progressive of [false, true]) {
      await decodeBoth(await noise(37, 21, 1).toColourspace('b-w').jpeg({ progressive }).toBuffer());
      for (const chromaSubsampling of ['4:4:4', '4:2:0']) {
        await decodeBoth(await noise(37, 21, 3).jpeg({ progressive, chromaSubsampling }).toBuffer());
      }
    }
  });

  it('ignores colour profiles', async () => {
    const plain = await decodeBoth(await noise(8, 8, 3).png().toBuffer());
    const profiled = await decodeBoth(await noise(8, 8, 3).withIccProfile('p3', { attach: true }).png().toBuffer());
    // The profile's converted pixels come as they are stored; the portable decoder knows no profiles.
    expect(profiled.data).not.toEqual(plain.data);
  });

  it('turns JPEGs as their EXIF orientation says', async () => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const bytes = await noise(16, 8, 1)
        .toColourspace('b-w')
        .withMetadata({ orientation })
        .jpeg({ quality: 100 })
        .toBuffer();
      const { width, height, data } = await decodeBoth(bytes);
      const expected = await sharp(bytes).autoOrient().raw().toBuffer({ resolveWithObject: true });
      expect([width, height]).toEqual([expected.info.width, expected.info.height]);
      const { channels } = expected.info;
      expect(data).toEqual(Float32Array.from({ length: data.length }, (_, i) => expected.data[i * channels]! / 255));
    }
  });

  it('tells formats apart by content and not by name', async () => {
    expect(await decodeImage(await noise(5, 4, 1).png().toBuffer(), 'radiograph.dcm')).toMatchObject({
      width: 5,
      height: 4,
    });
  });

  it('refuses CMYK, other formats, and nothing', async () => {
    const cmyk = await noise(8, 8, 3).toColourspace('cmyk').jpeg().toBuffer();
    const webp = await noise(8, 8, 3).webp().toBuffer();
    for (const decode of [(bytes: Uint8Array) => decodeImage(bytes, 'x'), portable]) {
      expect(await refusal(decode(cmyk))).toMatch(
        /^x: expected a grey or RGB JPEG, found 4 components of 8 bits \(CMYK\)/,
      );
      expect(await refusal(decode(webp))).toMatch(/^x: expected a PNG, JPEG or DICOM image/);
      expect(await refusal(decode(new Uint8Array(0)))).toMatch(/the file is empty/);
    }
  });

  it('refuses files that are cut off, or claim what they cannot hold', async () => {
    const png = await noise(32, 32, 1).png().toBuffer();
    const jpeg = await noise(32, 32, 1).jpeg().toBuffer();
    const huge = Uint8Array.from(png);
    new DataView(huge.buffer).setUint32(16, 65535);
    new DataView(huge.buffer).setUint32(20, 65535);
    const bomb = rawPng(4, 4, 8, 0, [Array.from({ length: 3_000_000 }, () => 0)]);
    for (const decode of [(bytes: Uint8Array) => decodeImage(bytes, 'x'), portable]) {
      expect(await refusal(decode(png.subarray(0, png.length - 40)))).toMatch(/^x: /);
      expect(await refusal(decode(jpeg.subarray(0, jpeg.length - 40)))).toMatch(/^x: /);
      expect(await refusal(decode(huge))).toMatch(/claims 65535 x 65535 pixels/);
    }
    expect(await refusal(portable(bomb))).toMatch(/holds more data than its size needs/);
  });
});

it('reads a JPEG with something appended', async () => {
  const jpeg = await noise(32, 32, 1).toColourspace('b-w').jpeg().toBuffer();
  expect((await decodeBoth(Buffer.concat([jpeg, Buffer.alloc(5000, 7)]))).width).toBe(32);
});

it('refuses a JPEG of endless scans', async () => {
  const jpeg = await noise(32, 32, 1).toColourspace('b-w').jpeg({ progressive: true }).toBuffer();
  const last = jpeg.lastIndexOf(Buffer.from([0xff, 0xda]));
  const scan = jpeg.subarray(last, jpeg.length - 2);
  const endless = Buffer.concat([
    jpeg.subarray(0, last),
    ...Array.from({ length: 100 }, () => scan),
    jpeg.subarray(-2),
  ]);
  for (const decode of [(bytes: Uint8Array) => decodeImage(bytes, 'x'), portable]) {
    expect(await refusal(decode(endless))).toMatch(/^x: expected at most 64 scans in the JPEG data, found 1\d\d/);
  }
});

it('orient moves corners as EXIF defines them', () => {
  const image = { width: 3, height: 2, data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const turned = ([1, 2, 3, 4, 5, 6, 7, 8] as const).map((orientation) =>
    [...orient(image, orientation).data].join(''),
  );
  expect(turned).toEqual(['123456', '321654', '654321', '456123', '142536', '415263', '635241', '362514']);
});
