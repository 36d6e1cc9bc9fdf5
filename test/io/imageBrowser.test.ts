import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/io/image.node.ts';
import { findChromium } from '../../src/verify/browser/chromium.node.ts';
import { launchChromium } from '../../src/verify/browser/launch.node.ts';
import { dicomImage, rleFrame, syntaxes } from '../support/dicomWriter.ts';
import { materials } from '../support/materials.ts';

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'support/decodePage.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

describe('the image readers in a page', () => {
  it('are one script that reaches no built-in of Node', async () => {
    const script = await bundle();
    expect(script).toContain('decodeInPage');
    expect(script).not.toMatch(/^import\b|['"]node:/m);
  });
});

const hasChromium = await findChromium().then(
  () => true,
  () => false,
);

describe.skipIf(!hasChromium)('decodeImage in Chromium', () => {
  let browser: Browser;
  let page: Page;
  const script = bundle();
  const server = createServer(async ({ url }, response) => {
    if (url === '/page.js') response.writeHead(200, { 'content-type': 'text/javascript' }).end(await script);
    else if (url === '/codecs.wasm') {
      response.end(readFileSync(createRequire(import.meta.url).resolve('dcmjs-codecs/build/dcmjs-native-codecs.wasm')));
    } else
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end('<!doctype html><script type="module" src="/page.js"></script>');
  });

  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    browser = await launchChromium('auto');
    page = await browser.newPage();
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction(() => 'decodeInPage' in globalThis);
  });

  afterAll(async () => {
    await browser?.close();
    server.closeAllConnections();
    server.close();
  });

  const inPage = (bytes: Uint8Array): Promise<string> =>
    page.evaluate((given) => globalThis.decodeInPage(given), Buffer.from(bytes).toString('base64'));
  const inNode = async (bytes: Uint8Array): Promise<string> => {
    const { width, height, data } = await decodeImage(bytes, 'source');
    return `${width}x${height} ${createHash('sha256')
      .update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
      .digest('hex')}`;
  };

  const samples = Array.from({ length: 24 * 20 }, (_, i) => (i * 137) & 65535);
  const window = { '00281050': ['DS', '20000'], '00281051': ['DS', '50000'] } as const;
  const mono1 = { ...window, '00280004': ['CS', 'MONOCHROME1'] } as const;
  const rgb = sharp(
    Uint8Array.from({ length: 24 * 20 * 3 }, (_, i) => (i * 7) & 255),
    {
      raw: { width: 24, height: 20, channels: 3 },
    },
  );
  const generated: readonly (readonly [string, () => Promise<Uint8Array> | Uint8Array])[] = [
    ['DICOM, explicit', () => dicomImage(24, 20, samples, 16, window)],
    ['DICOM, big endian, MONOCHROME1', () => dicomImage(24, 20, samples, 16, mono1, { syntax: syntaxes.bigEndian })],
    [
      'DICOM, deflated',
      () =>
        dicomImage(
          24,
          20,
          samples,
          16,
          {},
          { syntax: syntaxes.deflated, pack: (b) => new Uint8Array(deflateRawSync(b)) },
        ),
    ],
    [
      'DICOM, RLE',
      () => {
        const segments = [samples.map((value) => value >> 8), samples.map((value) => value & 255)];
        return dicomImage(24, 20, [], 16, window, { syntax: syntaxes.rle, fragments: [rleFrame(segments)] });
      },
    ],
    ['PNG of 16 bits', () => rgb.clone().toColourspace('rgb16').png().toBuffer()],
    ['PNG with a palette', () => rgb.clone().png({ palette: true }).toBuffer()],
    [
      'progressive JPEG, turned',
      () => rgb.clone().withMetadata({ orientation: 8 }).jpeg({ progressive: true }).toBuffer(),
    ],
  ];

  it.each(generated)('gives the values of Node for %s', async (_name, make) => {
    const bytes = await make();
    expect(await inPage(bytes)).toBe(await inNode(bytes));
  });

  it('refuses what is no image with the same sentence', async () => {
    const bytes = new TextEncoder().encode('hello');
    const sentence = await decodeImage(bytes, 'source').catch((error: Error) => `${error.name}: ${error.message}`);
    expect(await inPage(bytes)).toBe(sentence);
  });

  const real = [
    'dicom/chest/mono1-15bit-jpeg-lossless-sv5.dcm',
    'dicom/chest/mono1-15bit-jpegls-lossless.dcm',
    'dicom/chest/mono1-15bit-jpeg2000-lossless.dcm',
    'dicom/chest/mono2-12bit-jpeg-extended.dcm',
    'dicom/chest/mono2-8bit-jpeg-baseline-fragments.dcm',
    'cxr-originals/covid-19-pneumonia-mild.JPG',
    'cxr-originals/16745_3_1.png',
  ].map((file) => `${materials}/data/${file}`);
  it.skipIf(!existsSync(real[0]!)).each(real)('gives the values of Node for %s (beside the checkout)', async (file) => {
    const bytes = readFileSync(file);
    expect(await inPage(bytes)).toBe(await inNode(bytes));
  });
});
