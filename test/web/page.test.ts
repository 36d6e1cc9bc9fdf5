import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { unzipSync } from 'fflate';
import type { Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { progressOf } from '../../src/train/checkpoint.ts';
import { findChromium } from '../../src/verify/browser/chromium.node.ts';
import { parseCheckpoint } from '../../web/src/worker/checkpoint.ts';
import { dicomImage } from '../support/dicomWriter.ts';
import { useGpu } from '../support/gpu.ts';
import { heapBytes } from './support/heap.ts';
import {
  accessibilityViolations,
  dropFiles,
  openWeb,
  serveWeb,
  type WatchedPage,
  type WebSite,
} from './support/page.ts';
import { findInNode, part, radiograph } from './support/shipped.ts';

const gpu = useGpu();

const hasChromium = await findChromium().then(
  () => true,
  () => false,
);

describe.skipIf(!hasChromium)('the page in Chromium', () => {
  let site: WebSite;
  let watched: WatchedPage;
  let page: Page;

  const card = (number: number): Locator => page.getByRole('article', { name: `Phrase ${number}`, exact: true });
  const phrase = (number: number): Locator => card(number).getByLabel('Phrase', { exact: true });
  const picture = (number: number): Locator => card(number).getByRole('img', { name: 'Heat map of' });
  /** Waits until the map of a card is of this phrase. */
  const mapOf = (number: number, text: string): Promise<void> =>
    card(number)
      .getByRole('img', { name: `“${text}”` })
      .waitFor();
  /** A digest of what a card shows once it had the time to draw. */
  const pixels = async (number: number): Promise<string> => {
    const drawn = await picture(number).evaluate(
      (canvas) =>
        new Promise<string>((done) =>
          setTimeout(() => requestAnimationFrame(() => done((canvas as HTMLCanvasElement).toDataURL())), 100),
        ),
    );
    return createHash('sha256').update(drawn).digest('hex');
  };
  const imageInput = (): Locator => page.getByLabel('Open an image');
  const modelInput = (): Locator => page.getByLabel('Open a model');

  beforeAll(async () => {
    site = await serveWeb();
    watched = await openWeb(site);
    page = watched.page;
    await watched.loaded();
  });

  afterAll(async () => {
    await site?.close();
  });

  it('opens with a heat map of a sample, and says what it is for and that nothing leaves it', async () => {
    await picture(1).waitFor();
    expect(await card(1).textContent()).toMatch(/present|absent/);
    for (const line of ['Research use only, not for diagnosis.', 'Nothing leaves this page']) {
      await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
      const box = await page.getByText(line).boundingBox();
      expect(box!.y).toBeLessThan(page.viewportSize()!.height);
    }
  });

  it('finds a typed phrase in a chosen PNG as the command line does', async () => {
    const bytes = await radiograph(3);
    await imageInput().setInputFiles({ name: 'chest.png', mimeType: 'image/png', buffer: bytes });
    await page.getByText('96 × 80 pixels').waitFor();
    await phrase(1).fill('');
    await phrase(1).pressSequentially('large left pleural effusion');
    await mapOf(1, 'large left pleural effusion');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      card(1).getByRole('button', { name: 'Save values' }).click(),
    ]);
    const saved = JSON.parse(readFileSync(await download.path(), 'utf8'));
    const { found, finding } = await findInNode(gpu(), bytes, 'large left pleural effusion');
    expect(saved.notice).toMatch(/Research use only/);
    expect(saved.grid.data.length).toBe(found.grid.data.length);
    const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));
    expect(worst(saved.grid.data, found.grid.data)).toBeLessThan(1e-4);
    expect(worst(saved.map.data, finding.map.data)).toBeLessThan(1e-3);
    expect(saved.similarity.max).toBeCloseTo(finding.similarity.max, 4);
    expect(saved.presence.present).toBe(finding.presence!.present);
  });

  it('puts the probes beside the phrase', async () => {
    await card(1).getByRole('button', { name: 'Swap left and right' }).click();
    await mapOf(2, 'large right pleural effusion');
    await card(1).getByRole('button', { name: 'Deny it' }).click();
    await mapOf(3, 'no large left pleural effusion');
    await expect.poll(() => pixels(2)).not.toBe(await pixels(1));
    for (const _ of [3, 2])
      await card(2)
        .getByRole('button', { name: /^Remove/ })
        .click();
    expect(await page.getByRole('article').count()).toBe(1);
  });

  it('draws anew when a slider is moved with the keyboard', async () => {
    const before = await pixels(1);
    const facts = await card(1).locator('dl').textContent();
    await page.getByLabel('Threshold of the contour').press('Home');
    await card(1).getByText('Over -0.95').waitFor();
    expect(await card(1).locator('dl').textContent()).not.toBe(facts);
    await expect.poll(() => pixels(1)).not.toBe(before);
    const contour = await pixels(1);
    await page.getByLabel('Opacity of the heat map').press('Home');
    await page.getByText('Opacity of the heat map: 0 %').waitFor();
    await expect.poll(() => pixels(1)).not.toBe(contour);
    const plain = await pixels(1);
    await page.getByLabel('Opacity of the heat map').press('End');
    const legend = card(1).getByRole('img', { name: 'Colours from -1 (cosine' });
    await page.getByLabel('Scale of the map').selectOption('paper-cosine');
    await card(1).getByRole('img', { name: 'Colours from cosine' }).waitFor();
    await page.getByLabel('Scale of the map').selectOption('paper-minmax');
    await legend.waitFor();
    await page.getByLabel('Colours', { exact: true }).selectOption('cividis');
    await expect.poll(() => pixels(1)).not.toBe(plain);
  });

  it('takes JPEG and DICOM files that are dropped on it, and windows DICOM', async () => {
    const hint = page.getByText('Drop an image, a folder');
    await dropFiles(page, { 'chest.jpg': new Uint8Array() }, 'dragover');
    await hint.waitFor();
    const jpeg = sharp(await radiograph(2)).jpeg();
    await dropFiles(page, { 'chest.jpg': await jpeg.toBuffer() });
    await page.getByText('chest.jpg').first().waitFor();
    expect(await hint.count()).toBe(0);
    const samples = Array.from({ length: 40 * 30 }, (_, i) => (i * 37) % 4096);
    const dicom = dicomImage(40, 30, samples, 16, { '00280004': ['CS', 'MONOCHROME1'] });
    await dropFiles(page, { 'chest.dcm': dicom });
    await page.getByText('40 × 30 pixels').waitFor();
    await card(1).getByRole('img', { name: 'over chest.dcm' }).waitFor();
    const before = await pixels(1);
    await page.getByLabel('Level').press('Home');
    await page.getByRole('button', { name: 'Window of the file' }).waitFor();
    await expect.poll(() => pixels(1)).not.toBe(before);
    const windowed = await pixels(1);
    await picture(1).scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await picture(1).boundingBox())!;
    await page.mouse.move(x + 0.3 * width, y + 0.3 * height);
    await page.mouse.down();
    await page.mouse.move(x + 0.5 * width, y + 0.6 * height, { steps: 3 });
    await page.mouse.up();
    await expect.poll(() => pixels(1)).not.toBe(windowed);
    await page.getByRole('button', { name: 'Window of the file' }).click();
    await expect.poll(() => pixels(1)).toBe(before);
  });

  it('says what is wrong with a file, and keeps the image', async () => {
    await imageInput().setInputFiles({ name: 'notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') });
    await expect
      .poll(() => page.getByRole('alert').textContent())
      .toMatch(/^notes\.pdf: expected a PNG, JPEG or DICOM/);
    await modelInput().setInputFiles([part('model.safetensors'), part('config.json')]);
    await expect.poll(() => page.getByRole('alert').textContent()).toMatch(/vocab\.txt is missing/);
    expect(await page.getByText('40 × 30 pixels').count()).toBe(1);
  });

  it('takes the three files of a run folder for a model', async () => {
    await modelInput().setInputFiles(['model.safetensors', 'config.json', 'vocab.txt'].map(part));
    await page.getByText('Model: model.safetensors').waitFor();
    expect(await page.getByRole('alert').textContent()).toBe('');
    await mapOf(1, 'large left pleural effusion');
  });

  it('warns of words that the model cannot read', async () => {
    await phrase(1).fill('☃ effusion Ж');
    await card(1).getByText('The model does not know: Ж.').waitFor();
    await phrase(1).fill('...');
    await card(1).getByText('Type what should be found').waitFor();
    expect(await picture(1).count()).toBe(0);
  });

  it('looks for a sentence of a pasted report', async () => {
    await page.getByRole('button', { name: 'Sample 2' }).click();
    await phrase(1).fill('right pleural effusion');
    await page.getByLabel('Paste a report').fill('FINDINGS: Small right pleural effusion. No pneumothorax.');
    await page.getByRole('button', { name: 'No pneumothorax.' }).click();
    await mapOf(2, 'No pneumothorax.');
  });

  it('ranks the sentences of a report by the zone of a picture that is clicked', async () => {
    await mapOf(1, 'right pleural effusion');
    await page.getByRole('button', { name: 'Compare all sentences' }).click();
    const table = page.getByRole('table');
    await table.waitFor();
    const values = async (column: number): Promise<number[]> =>
      (await table.locator(`tbody td:nth-child(${column})`).allTextContents()).map(Number);
    const { width, height } = (await picture(1).boundingBox())!;
    await picture(1).click({ position: { x: 0.25 * width, y: 0.85 * height } });
    await table.getByText('Ranked by the lower left.').waitFor();
    const ranked = await values(6);
    expect(ranked).toEqual([...ranked].sort((a, b) => b - a));
    await table.getByRole('button', { name: 'upper right' }).press('Enter');
    expect(await table.getByRole('columnheader', { name: 'upper right' }).getAttribute('aria-sort')).toBe('descending');
    expect(await values(3)).toEqual((await values(3)).sort((a, b) => b - a));
  });

  it('saves the maps of many images and a table as a zip', async () => {
    await page.getByText('Many images', { exact: true }).click();
    await page.getByLabel('or choose images').setInputFiles([
      { name: 'first.png', mimeType: 'image/png', buffer: await radiograph(9) },
      { name: 'no image.png', mimeType: 'image/png', buffer: Buffer.from('nothing') },
    ]);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Start', exact: true }).click(),
    ]);
    const files = unzipSync(readFileSync(await download.path()));
    const rows = parse(Buffer.from(files['findings.csv']!), { columns: true }) as Record<string, string>[];
    expect(rows.map(({ file, phrase }) => [file, phrase])).toEqual([
      ['first.png', 'right pleural effusion'],
      ['first.png', 'No pneumothorax.'],
      ['no image.png', ''],
    ]);
    expect(rows[2]!.error).toMatch(/^no image\.png: expected a PNG/);
    const { finding } = await findInNode(gpu(), await radiograph(9), 'right pleural effusion');
    expect(Number(rows[0]!.similarity_max)).toBeCloseTo(finding.similarity.max, 4);
    expect(rows[0]!.presence).toBe(finding.presence!.present ? 'present' : 'absent');
    const { width } = await sharp(files[rows[1]!.picture!]!).metadata();
    expect(width).toBeGreaterThanOrEqual(512);
  });

  it('holds no more memory after 100 phrases than after 10', { timeout: 240_000 }, async () => {
    await page.getByText('Device', { exact: true }).click();
    // "967.5 KiB in 25 buffers, 1.0 MiB kept for reuse, 2.0 MiB at most"
    const memory = (): Promise<string | null> => page.locator('dt:text-is("Memory") + dd').textContent();
    const ask = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i++) {
        await phrase(1).fill(`effusion ${i}`);
        await mapOf(1, `effusion ${i}`);
      }
    };
    await ask(0, 10);
    const [before, heap] = [await memory(), await heapBytes(page)];
    expect(before).toMatch(/^[\d.]+ [KM]iB in \d+ buffers, /);
    await ask(10, 100);
    expect(await memory()).toBe(before);
    // Embeddings of the last phrases are kept, a quarter of a kilobyte each.
    expect((await heapBytes(page)) - heap).toBeLessThan(2 ** 20);
  });

  it('keeps what is typed while a sample is opened', async () => {
    await page.getByRole('button', { name: 'Sample 1' }).click();
    await page.getByText('Image: sample 1').waitFor();
    const shown = (await page.locator('.add .phrase').first().textContent())!;
    await phrase(1).fill(shown);
    await mapOf(1, shown);
    const input = await phrase(1).elementHandle();
    await page.getByRole('button', { name: 'Sample 5' }).evaluate((button, field) => {
      (button as HTMLButtonElement).click();
      (field as HTMLInputElement).value = 'heart';
      field!.dispatchEvent(new Event('input', { bubbles: true }));
    }, input);
    await card(1).getByRole('img', { name: '“heart” over sample 5' }).waitFor();
    expect(await phrase(1).inputValue()).toBe('heart');
  });

  it('trains a model, which can then be used and saved', async () => {
    await page.getByText('Train a model here').click();
    await page.getByRole('button', { name: 'Start training' }).click();
    const progress = page.getByText(/step \d+ of 1250, loss/);
    await progress.waitFor({ timeout: 60_000 });
    const first = Number(/loss ([\d.]+)/.exec((await progress.textContent())!)![1]);
    // Guessing among 16 pairs: ln 16 for each direction of the global and the local part.
    expect(first).toBeGreaterThan(9);
    expect(first).toBeLessThan(14);
    // Its thread is not the one that looks for phrases.
    await phrase(1).fill('right effusion while it trains');
    await mapOf(1, 'right effusion while it trains');
    const stepsDone = async () => Number(/step (\d+)/.exec((await progress.textContent())!)![1]);
    await expect.poll(stepsDone, { timeout: 60_000 }).toBeGreaterThan(2);
    await page.getByRole('button', { name: 'Stop' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save the run' }).click(),
    ]);
    const files = unzipSync(readFileSync(await download.path()));
    const { config, weights } = parseCheckpoint('saved', {
      weights: { name: 'checkpoint.safetensors', bytes: Uint8Array.from(files['checkpoint.safetensors']!).buffer },
      config: Buffer.from(files['config.json']!).toString(),
      vocabulary: Buffer.from(files['vocab.txt']!).toString(),
    });
    expect(config.preset).toBe('phantom-mini');
    expect(weights.tensor('model.visual.conv1.weight').data.some((value) => value !== 0)).toBe(true);
    await page.getByRole('button', { name: 'Use this model above' }).click();
    await page.getByText(/Model: phantom-mini-\d+-steps, trained here/).waitFor();
    await card(1).getByText('not calibrated').waitFor();
    expect(await page.getByRole('alert').textContent()).toBe('');

    // The saved run goes on where it was.
    await page.getByRole('button', { name: 'Discard it' }).click();
    const saved = ['checkpoint.safetensors', 'config.json', 'vocab.txt'];
    await modelInput().setInputFiles(
      saved.map((name) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(files[name]!) })),
    );
    await page.getByText('Model: checkpoint.safetensors').waitFor();
    await page.getByLabel('Begin with').selectOption('opened');
    await page.getByRole('button', { name: 'Start training' }).click();
    const { step } = progressOf(weights.metadata)!;
    await page.getByText(new RegExp(`step ${step + 1} of 1250, loss`)).waitFor({ timeout: 60_000 });
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Discard it' }).click();
  });

  it('asked for nothing after it was loaded, and ran into no error', () => {
    expect(watched.requests).toEqual([]);
    expect(watched.errors).toEqual([]);
  });

  it('has no accessibility violation', async () => {
    expect(await accessibilityViolations(page)).toEqual([]);
  });

  it('survives the loss of the device with image and phrases', async () => {
    await phrase(1).fill('right pneumothorax');
    await mapOf(1, 'right pneumothorax');
    const before = await pixels(1);
    await watched.loseDevice();
    await page.getByText('Image and phrases were kept').waitFor();
    expect(await phrase(1).inputValue()).toBe('right pneumothorax');
    await expect.poll(() => pixels(1)).toBe(before);
    await phrase(1).fill('left pneumothorax');
    await mapOf(1, 'left pneumothorax');
    expect(await page.getByRole('alert').textContent()).toBe('');
  });

  it('opens without a network once it was loaded', async () => {
    await page.context().setOffline(true);
    await page.reload();
    await picture(1).waitFor();
    expect(await card(1).textContent()).toMatch(/present|absent/);
  });

  it('says that a part of it could not be loaded', async () => {
    const torn = await openWeb(site);
    await torn.page.route(/engineWorker/, (route) => route.abort());
    await torn.page.goto(site.address);
    await torn.page.getByRole('alert').getByText('could not be loaded').waitFor();
    await torn.close();
  });

  it('says in clear words that WebGPU is missing', async () => {
    const workerPrelude = "Object.defineProperty(WorkerNavigator.prototype, 'gpu', { value: undefined });";
    const without = await openWeb(site, { workerPrelude });
    await without.page.goto(site.address);
    const alert = without.page.getByRole('alert');
    await alert.getByText('This browser has no WebGPU').waitFor();
    expect(await without.page.getByText('Research use only').isVisible()).toBe(true);
    await without.close();
  });
});

describe('negate', () => {
  it.each([
    ['Small pleural effusion', 'no small pleural effusion'],
    ['no pneumothorax', 'pneumothorax'],
    ['CHF', 'no CHF'],
  ])('turns "%s" into "%s"', async (phrase, denied) => {
    const { negate } = await import('../../web/src/phrases.ts');
    expect(negate(phrase)).toBe(denied);
  });
});
