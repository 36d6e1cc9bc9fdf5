import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { zipSync } from 'fflate';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from '../../src/verify/browser/chromium.node.ts';
import { smallBert, smallResNet, weightBytes, words } from '../support/towerFiles.ts';
import {
  accessibilityViolations,
  dropFiles,
  openWeb,
  serveWeb,
  type WatchedPage,
  type WebSite,
} from './support/page.ts';

const hasChromium = await findChromium().then(
  () => true,
  () => false,
);

const shipped = (name: string) =>
  Uint8Array.from(readFileSync(resolve(import.meta.dirname, '../../web/public/phantom-mini', name)));
const text = (value: string) => new TextEncoder().encode(value);

const bert = {
  'bert.safetensors': weightBytes(smallBert('bert.', 32), 'F16'),
  'config.json': text(JSON.stringify({ model_type: 'bert', hidden_size: 32, num_attention_heads: 2 })),
  'vocab.txt': text(`${words.join('\n')}\n`),
};
const resNet = { 'resnet.safetensors': weightBytes(smallResNet(), 'F16') };

/** In every worker: a device that can be lost, and that has no memory for a large buffer once `isFull` is set. */
const prelude = `
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await request.call(this, descriptor);
    globalThis.loseDevice = () => device.destroy();
    const create = device.createBuffer;
    device.createBuffer = function (asked) {
      if (globalThis.isFull && asked.size > 2 ** 18) {
        const error = new GPUOutOfMemoryError('not enough memory left');
        device.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error }));
      }
      return create.call(this, asked);
    };
    return device;
  };
`;

describe.skipIf(!hasChromium)('models that are given to the page', () => {
  let site: WebSite;
  let watched: WatchedPage;
  let page: Page;

  const card = (): Locator => page.getByRole('article', { name: 'Phrase 1', exact: true });
  const facts = (): Locator => page.locator('.facts', { hasText: 'Model:' });
  const alert = () => page.getByRole('alert').textContent();
  const mapOf = (phrase: string) =>
    card()
      .getByRole('img', { name: `“${phrase}”` })
      .waitFor();
  const ask = async (phrase: string): Promise<void> => {
    await card().getByLabel('Phrase', { exact: true }).fill(phrase);
    await mapOf(phrase);
  };
  const choose = (files: Readonly<Record<string, Uint8Array>>) =>
    page.getByLabel('Open a model').setInputFiles(
      Object.entries(files).map(([name, bytes]) => ({
        ...{ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) },
      })),
    );

  beforeAll(async () => {
    site = await serveWeb();
    watched = await openWeb(site, { workerPrelude: prelude });
    page = watched.page;
    // A new device compiles the kernels of a model of 224 pixels anew.
    page.setDefaultTimeout(90_000);
    await watched.loaded();
  });

  afterAll(async () => {
    await site?.close();
  });

  it('are published weights, with the note that the maps say nothing at the model and at every result', async () => {
    await dropFiles(page, { ...resNet, ...bert });
    await facts().getByText('resnet.safetensors and bert.safetensors').waitFor();
    const note = 'Image and text encoder are pretrained, but what joins them is random: the maps say nothing';
    expect(await facts().textContent()).toContain(note);
    await ask('left pleural effusion');
    await card().getByText('not calibrated').waitFor();
    await card().getByText(note).waitFor();
    expect(await card().textContent()).not.toMatch(/\b(present|absent)\b/);
    expect(await alert()).toBe('');
    await card().getByLabel('Phrase', { exact: true }).fill('right snow effusion');
    await card().getByText('The model does not know: snow.').waitFor();
  });

  it('are read again from their files when the device was lost', async () => {
    await ask('left effusion');
    await watched.loseDevice();
    await page.getByText('Image and phrases were kept').waitFor();
    await ask('right pleural effusion');
    expect(await facts().textContent()).toContain('resnet.safetensors and bert.safetensors');
    expect(await alert()).toBe('');
  });

  it('are refused with a sentence, and the model before stays', async () => {
    const expectAlert = (message: RegExp) => expect.poll(alert, { timeout: 20_000 }).toMatch(message);
    const { 'vocab.txt': _, ...without } = bert;
    await choose(without);
    await expectAlert(/^bert\.safetensors holds a BERT of 10 word pieces: the vocab\.txt that was published with it/);
    await choose({ ...bert, 'vocab.txt': text('[PAD]\n[UNK]\n[CLS]\n[SEP]\n') });
    await expectAlert(/^vocab\.txt has 4 word pieces, the BERT in bert\.safetensors has 10/);
    const other = new Map([['net.weight', { shape: [1], data: Float32Array.of(1) }]]);
    await dropFiles(page, { 'net.safetensors': weightBytes(other) });
    await expectAlert(/^net\.safetensors holds no encoder that this model can use: expected a BERT under Hugging Face/);
    await dropFiles(page, { 'broken.zip': text('PK, but no more of it') });
    await expectAlert(/^broken\.zip cannot be unpacked/);
    await ask('right effusion');
    expect(await facts().textContent()).toContain('resnet.safetensors and bert.safetensors');
  });

  it('are a zip of a run folder, which is calibrated again', async () => {
    const names = ['model.safetensors', 'config.json', 'vocab.txt'];
    const zip = zipSync(Object.fromEntries(names.map((name) => [`runs/phantoms/${name}`, shipped(name)])));
    await dropFiles(page, { 'phantoms.zip': zip });
    await facts().getByText('phantoms.zip').waitFor();
    expect(await facts().textContent()).toMatch(/validation phrases its verdict finds/);
    await ask('left pleural effusion');
    await expect.poll(() => card().textContent()).toMatch(/present|absent/);
    expect(await card().textContent()).not.toMatch(/the maps say nothing/);
  });

  it('are a zip of one encoder, with a small text encoder of its own', async () => {
    await choose({ 'resnet.zip': zipSync({ 'weights/resnet.safetensors': resNet['resnet.safetensors'] }) });
    await facts().getByText('resnet.zip').waitFor();
    await card().getByText('Only the image encoder is pretrained, the rest is random').waitFor();
  });

  it('are refused where the GPU has no memory for them, in words that say so', async () => {
    const worker = page.workers().find((each) => each.url().includes('engineWorker'));
    await worker!.evaluate('globalThis.isFull = true');
    // Larger than the models before, whose memory is kept for reuse.
    const larger = { 'larger.safetensors': weightBytes(smallBert('', 256)), 'vocab.txt': bert['vocab.txt'] };
    await dropFiles(page, { ...resNet, ...larger });
    await expect
      .poll(alert, { timeout: 20_000 })
      .toMatch(/^The GPU could not take the model in these files of \d+ MB: The GPU is out of memory: not enough/);
    await worker!.evaluate('globalThis.isFull = false');
    await ask('left effusion');
    expect(await facts().textContent()).toContain('resnet.zip');
  });

  it('can be trained, which the other worker does with the same files', async () => {
    await page.getByText('Train a model here').click();
    await page.getByLabel('Begin with').selectOption('opened');
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.getByText('step 0 of 1250').waitFor({ timeout: 60_000 });
    expect(await alert()).toBe('');
  });

  it('ask for nothing and cause no error', async () => {
    expect(watched.requests).toEqual([]);
    expect(watched.errors).toEqual([]);
  });

  it('leave the page accessible', async () => {
    expect(await accessibilityViolations(page)).toEqual([]);
  });
});
