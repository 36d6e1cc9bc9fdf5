import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { maskOfImage } from '../../src/data/annotations/mask.ts';
import { boxesToMask } from '../../src/data/regions.ts';
import type { Mask } from '../../src/data/types.ts';
import { agreementWith } from '../../src/eval/agreement.ts';
import { decodeImage } from '../../src/io/image.node.ts';
import { findChromium } from '../../src/verify/browser/chromium.node.ts';
import { useGpu } from '../support/gpu.ts';
import {
  accessibilityViolations,
  dropFiles,
  openWeb,
  serveWeb,
  type WatchedPage,
  type WebSite,
} from './support/page.ts';
import { findInNode, lesionOf, radiograph } from './support/shipped.ts';

const gpu = useGpu();
const hasChromium = await findChromium().then(
  () => true,
  () => false,
);

const size = { width: 96, height: 80 };
const asFile = (name: string, content: Buffer | string) => ({
  ...{ name, mimeType: name.endsWith('.png') ? 'image/png' : 'text/plain' },
  buffer: Buffer.from(content),
});

describe.skipIf(!hasChromium)('ground truth in the page', () => {
  let site: WebSite;
  let watched: WatchedPage;
  let page: Page;

  const card = (number: number): Locator => page.getByRole('article', { name: `Phrase ${number}`, exact: true });
  const truthInput = (): Locator => page.getByLabel('Compare with a mask');
  const agreement = async (): Promise<string> =>
    (await card(1).locator('dt:text("Ground truth") + dd').textContent()) ?? '';
  const figures = async (): Promise<number[]> => ((await agreement()).match(/[\d.]+/g) ?? []).map(Number);
  const type = async (text: string): Promise<void> => {
    await card(1).getByLabel('Phrase', { exact: true }).fill(text);
    await card(1)
      .getByRole('img', { name: `“${text}” over` })
      .waitFor();
  };
  const setThreshold = (value: number): Promise<void> =>
    page.getByLabel('Threshold of the contour').fill(value.toFixed(2));
  const drop = (...files: { name: string; buffer: Buffer }[]): Promise<void> =>
    dropFiles(page, Object.fromEntries(files.map(({ name, buffer }) => [name, buffer])));
  const problem = (): Promise<string | null> => page.getByRole('alert').textContent();
  /** What evaluation measures in Node, IoU before Dice. */
  const inNode = async (bytes: Buffer, mask: Mask, phrase: string, threshold: number): Promise<number[]> => {
    const { image, found, options } = await findInNode(gpu(), bytes, phrase);
    const { iou, dice } = agreementWith(mask, found, image, { ...options, threshold })!;
    return [iou, dice];
  };
  const near = (found: readonly number[], expected: readonly number[]): boolean =>
    found.length === expected.length && found.every((value, i) => Math.abs(value - expected[i]!) < 0.006);

  beforeAll(async () => {
    site = await serveWeb();
    watched = await openWeb(site);
    page = watched.page;
    await watched.loaded();
  });

  afterAll(async () => {
    await site?.close();
  });

  it('measures a sample with what it was drawn with, when that is wanted', async () => {
    await card(1).getByRole('img', { name: 'Heat map' }).waitFor();
    expect(await page.getByText('IoU').count()).toBe(0);
    await page.getByLabel('Outline the ground truth').check();
    await expect.poll(agreement).toMatch(/^IoU \d\.\d{3}, Dice \d\.\d{3}, largest value (inside|outside)$/);
    await page.getByLabel('Outline the ground truth').uncheck();
  });

  it('takes a dropped mask, and measures as evaluation does while threshold and phrase change', async () => {
    const bytes = await radiograph(9);
    const { phrase, png } = await lesionOf(9);
    const mask = maskOfImage(await decodeImage(png, 'the mask'));
    await page.getByLabel('Open an image').setInputFiles(asFile('chest.png', bytes));
    await page.getByText('96 × 80 pixels').waitFor();
    await drop(asFile('chest_mask.png', png));
    await page.getByText('chest_mask.png, for chest.png').waitFor();
    expect(await page.getByLabel('Outline the ground truth').isChecked()).toBe(true);
    const other = 'left pneumothorax';
    for (const [text, threshold] of [
      [phrase, 0.3],
      [phrase, 0],
      [phrase, -0.4],
      [other, -0.4],
    ] as const) {
      await type(text);
      await setThreshold(threshold);
      const expected = await inNode(bytes, mask, text, threshold);
      await expect.poll(async () => near(await figures(), expected), { message: `${text} ${expected}` }).toBe(true);
    }
    await setThreshold(0.95);
    await expect.poll(agreement).toMatch(/^IoU/);
  });

  it('draws the outline, and no more when it is switched off or removed', async () => {
    const pixels = (): Promise<string> =>
      card(1)
        .getByRole('img', { name: 'Heat map' })
        .evaluate(
          (canvas) =>
            new Promise<string>((done) =>
              setTimeout(() => requestAnimationFrame(() => done((canvas as HTMLCanvasElement).toDataURL())), 100),
            ),
        );
    const outlined = await pixels();
    await page.getByLabel('Outline the ground truth').press('Space');
    await expect.poll(pixels).not.toBe(outlined);
    const plain = await pixels();
    await page.getByLabel('Outline the ground truth').press('Space');
    await expect.poll(pixels).toBe(outlined);
    await page.getByRole('button', { name: 'Remove the ground truth' }).press('Enter');
    await expect.poll(pixels).toBe(plain);
    expect(await page.getByText('Ground truth', { exact: true }).count()).toBe(1);
    expect(await truthInput().evaluate((input) => input === document.activeElement)).toBe(true);
    expect(await page.getByLabel('Outline the ground truth').count()).toBe(0);
  });

  it('takes the rows of a table that name the image, and offers their phrases', async () => {
    const bytes = await radiograph(9);
    const table =
      'file,phrase,x,y,width,height\n' +
      'images/chest.png,right effusion,10,40,30,30\nchest,right effusion,20,60,40,10\nother.png,edema,0,0,5,5\n';
    await truthInput().setInputFiles(asFile('boxes.csv', table));
    await page.getByText('“right effusion”: ').waitFor();
    await type('no such thing');
    await expect.poll(agreement).toBe('none for this phrase');
    await setThreshold(0);
    await type('Right effusion.');
    const boxes = [
      { x: 10, y: 40, width: 30, height: 30 },
      { x: 20, y: 60, width: 40, height: 10 },
    ];
    const expected = await inNode(bytes, boxesToMask(boxes, size), 'Right effusion.', 0);
    await expect.poll(async () => near(await figures(), expected), { message: `${expected}` }).toBe(true);
    await page.getByRole('button', { name: 'right effusion', exact: true }).click();
    await card(2).getByRole('img', { name: 'Heat map' }).waitFor();
    await card(2)
      .getByRole('button', { name: /^Remove/ })
      .click();
  });

  it("takes RSNA's labels for every phrase, also those that say that nothing is there", async () => {
    const labels = 'patientId,x,y,width,height,Target\nchest,0,0,1024,512,1\nfree,,,,,0\n';
    await drop(asFile('stage_2_train_labels.csv', Buffer.from(labels)));
    await page.getByText('for every phrase: 50.0 % of the image').waitFor();
    await expect.poll(agreement).toMatch(/^IoU/);
    await drop(asFile('free.png', await radiograph(3)), asFile('labels.csv', Buffer.from(labels)));
    await page.getByText('for every phrase: nothing is marked').waitFor();
    await expect.poll(agreement).toBe('marks nothing, so that nothing can agree with it');
  });

  it('forgets the truth of an image that was closed', async () => {
    await page.getByLabel('Open an image').setInputFiles(asFile('next.png', await radiograph(2)));
    await page.getByText('Image: next.png').waitFor();
    expect(await page.getByRole('button', { name: 'Remove the ground truth' }).count()).toBe(0);
    await expect.poll(() => card(1).getByText('Ground truth').count()).toBe(0);
  });

  it('says in a sentence what is wrong with a truth, and keeps the one before', async () => {
    await truthInput().setInputFiles(asFile('good_mask.png', (await lesionOf(9, 1)).png));
    await page.getByText('good_mask.png, for next.png').waitFor();
    const small = await radiograph(2).then((png) =>
      import('sharp').then(({ default: sharp }) => sharp(png).resize(48, 40).png().toBuffer()),
    );
    const cases: [string, Buffer | string, RegExp][] = [
      ['small.png', small, /^small\.png: expected a mask of the image's size, 96 × 80 pixels, found 48 × 40\.$/],
      ['no.png', 'nothing', /^no\.png: expected a PNG, JPEG or DICOM image/],
      ['a.csv', 'file,phrase\nnext,edema\n', /^a\.csv: expected a box or a mask for next\.png, found phrases alone/],
      [
        'b.csv',
        'file,x,y,width,height\nx.png,1,1,1,1\n',
        /^b\.csv: expected something of next\.png, found only x\.png\.$/,
      ],
      ['c.csv', 'file,text\nnext,edema\n', /^c\.csv: expected phrases or places of findings/],
      ['d.csv', 'file,x,y,width,height\nnext,200,1,5,5\n', /^d\.csv row 2: expected a place within 96 × 80 pixels/],
      ['e.json', '{', /^e\.json: expected JSON/],
      [
        'f.csv',
        'file,mask\nnext,m.png\n',
        /^f\.csv row 2: expected the mask "m\.png" beside it, found no such file\.$/,
      ],
    ];
    for (const [name, content, sentence] of cases) {
      await truthInput().setInputFiles(asFile(name, content));
      await expect.poll(problem).toMatch(sentence);
      expect(await page.getByText('good_mask.png, for next.png').count()).toBe(1);
    }
    await drop(asFile('notes.pdf', Buffer.from('%PDF')), asFile('more.pdf', Buffer.from('%PDF')));
    await expect.poll(problem).toMatch(/^more\.pdf: expected images, masks, annotations/);
  });

  it('saves what was measured with the values', async () => {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      card(1).getByRole('button', { name: 'Save values' }).click(),
    ]);
    const saved = JSON.parse(readFileSync(await download.path(), 'utf8'));
    expect(near([saved.agreement.iou, saved.agreement.dice], await figures())).toBe(true);
    expect(saved.notice).toMatch(/not for diagnosis/);
  });

  it('has no accessibility violation, asked for nothing and ran into no error', async () => {
    expect(await accessibilityViolations(page)).toEqual([]);
    expect(watched.requests).toEqual([]);
    expect(watched.errors).toEqual([]);
  });
});
