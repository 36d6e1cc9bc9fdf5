import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { unzipSync } from 'fflate';
import type { Locator, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from '../../src/verify/browser/chromium.node.ts';
import { runCommand } from '../cli/support/commandLine.ts';
import { accessibilityViolations, openWeb, serveWeb, type WatchedPage, type WebSite } from './support/page.ts';
import { lesionOf, radiograph, writeShippedRun } from './support/shipped.ts';

const hasChromium = await findChromium().then(
  () => true,
  () => false,
);

type Row = Record<string, string>;
const tableOf = (csv: string | Uint8Array): Row[] => parse(Buffer.from(csv), { columns: true });

/** Figures that must be the same in both tables up to the rounding of two adapters; places within a pixel. */
const tolerances: Readonly<Record<string, number>> = {
  ...{ presence_value: 1e-3, similarity_max: 1e-3, similarity_mean: 1e-3, area: 0.01, iou: 0.01, dice: 0.01 },
  ...{ x: 1, y: 1, width: 1.5, height: 1.5 },
};

describe.skipIf(!hasChromium)('many images in the page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'groundray-web-batch-'));
  const images = join(folder, 'study');
  let site: WebSite;
  let watched: WatchedPage;
  let page: Page;

  const panel = (): Locator => page.locator('details', { hasText: 'Many images' });
  const plan = (): Locator => page.getByRole('list', { name: 'What will be done' });
  const folderInput = (): Locator => page.getByLabel('Choose a folder');
  const filesInput = (): Locator => page.getByLabel('or choose images');
  const start = async (): Promise<Record<string, Uint8Array>> => {
    const [download] = await Promise.all([
      page.waitForEvent('download', { timeout: 120_000 }),
      page.getByRole('button', { name: 'Start', exact: true }).press('Enter'),
    ]);
    return unzipSync(readFileSync(await download.path()));
  };

  beforeAll(async () => {
    mkdirSync(join(images, 'masks'), { recursive: true });
    for (const index of [0, 3, 9]) writeFileSync(join(images, `study-${index}.png`), await radiograph(index));
    // Larger than what the page shows.
    writeFileSync(
      join(images, 'large.png'),
      await sharp(await radiograph(14))
        .resize(960, 800)
        .png()
        .toBuffer(),
    );
    const { phrase, png } = await lesionOf(9, 1);
    writeFileSync(join(images, 'masks', 'study-9.png'), png);
    writeFileSync(join(images, 'notes.txt'), 'nothing');
    writeFileSync(
      join(images, 'phrases.csv'),
      'file,phrase,x,y,width,height,mask\n' +
        `study-9.png,${phrase},,,,,masks/study-9.png\n` +
        'study-9,left pleural effusion,,,,,\n' +
        'study-0,left pleural effusion,50,40,30,30,\n' +
        'study-0,Left pleural effusion.,60,60,30,10,\n' +
        'large.png,cardiomegaly Ж,300,300,400,300,\n' +
        'missing.png,edema,,,,,\n',
    );
    site = await serveWeb();
    watched = await openWeb(site);
    page = watched.page;
    await watched.loaded();
    await page.getByText('Many images', { exact: true }).click();
  });

  afterAll(async () => {
    await site?.close();
    rmSync(folder, { recursive: true });
  });

  it('says what it will do with a folder and its table, and what it cannot', async () => {
    await folderInput().setInputFiles(images);
    await plan().waitFor();
    expect(await plan().getByRole('listitem').allTextContents()).toEqual([
      '3 images, 4 rows: phrases.csv',
      'Ground truth for 3 rows: IoU and Dice will be in the table',
      'Cannot be used: phrases.csv row 7: there is no image missing.png',
      'Not in the table, and left out: study-3.png',
      'Of no use here: notes.txt',
    ]);
  });

  it('finds what the command line finds with the same folder and table', async () => {
    // The default of the command line.
    await page.getByLabel('Colours', { exact: true }).selectOption('inferno');
    const files = await start();
    const own = tableOf(files['findings.csv']!);
    const [run, out] = [join(folder, 'run'), join(folder, 'found')];
    writeShippedRun(run);
    const args = ['localize', '--run', run, '--images', images, '--csv', join(images, 'phrases.csv'), '--out', out];
    const { code } = await runCommand(...args);
    expect(code).toBe(0);
    const theirs = tableOf(readFileSync(join(out, 'findings.csv')));
    expect(own).toHaveLength(4);
    for (const [i, row] of own.entries()) {
      expect(Object.keys(row)).toEqual(Object.keys(theirs[i]!));
      for (const [column, value] of Object.entries(row)) {
        const expected = theirs[i]![column]!;
        const tolerance = tolerances[column];
        if (tolerance === undefined || value === '') expect([column, value]).toEqual([column, expected]);
        else
          expect(Math.abs(Number(value) - Number(expected)), `${column} of row ${i + 1}`).toBeLessThanOrEqual(
            tolerance,
          );
      }
      const [map, same] = [files[row.picture!]!, readFileSync(join(out, row.picture!))];
      const [pixels, others] = await Promise.all([map, same].map((png) => sharp(png).removeAlpha().raw().toBuffer()));
      expect(pixels!.length).toBe(others!.length);
      const different = pixels!.reduce((sum, value, k) => sum + Math.abs(value - others![k]!), 0) / pixels!.length;
      expect(different, `mean difference of map ${i + 1}`).toBeLessThan(0.5);
    }
    expect(own.map(({ iou }) => iou !== '')).toEqual([true, false, true, true]);
    expect(own[3]!.unknown_words).toBe('Ж');
    expect(await panel().getByText('With the ground truth of 3: IoU').count()).toBe(1);
  });

  it('takes a table for images that were chosen before, and forgets them when told to', async () => {
    await filesInput().setInputFiles([join(images, 'study-0.png'), join(images, 'study-3.png')]);
    await plan().getByText('2 images, 2 rows: the phrases of this page in each').waitFor();
    const table = { name: 'wanted.csv', mimeType: 'text/csv', buffer: Buffer.from('file,phrase\nstudy-3,edema\n') };
    await filesInput().setInputFiles(table);
    await plan().getByText('1 image, 1 row: wanted.csv').waitFor();
    await page.getByRole('button', { name: 'Forget these images' }).press('Enter');
    expect(await plan().count()).toBe(0);
    expect(await folderInput().evaluate((input) => input === document.activeElement)).toBe(true);
  });

  it('takes a folder that is dropped anywhere, with the folders in it', async () => {
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: [images], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x: 100, y: 100, data });
    }
    await plan().getByText('3 images, 4 rows: phrases.csv').waitFor();
    expect(await plan().getByText('left out: study-3.png').count()).toBe(1);
    await page.getByRole('button', { name: 'Forget these images' }).click();
  });

  it('says in a sentence what is wrong', async () => {
    const asTable = (name: string, text: string) => ({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
    await filesInput().setInputFiles(asTable('alone.csv', 'file,phrase\na,b\n'));
    await expect
      .poll(() => page.getByRole('alert').textContent())
      .toBe('Expected PNG, JPEG or DICOM images, found none among 1 file.');
    const two = ['one.csv', 'two.csv'].map((name) => asTable(name, 'file,phrase\na,b\n'));
    const image = { name: 'a.png', mimeType: 'image/png', buffer: await radiograph(0) };
    await filesInput().setInputFiles([image, ...two]);
    await expect
      .poll(() => page.getByRole('alert').textContent())
      .toMatch(/^Expected one table of phrases or places, found 2: one\.csv, two\.csv\./);
    expect(await plan().count()).toBe(0);
  });

  it('shows how far it is, stops, and keeps what was done; the device may be lost meanwhile', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `image-${String(i).padStart(2, '0')}.png`);
    const buffer = await radiograph(3);
    await filesInput().setInputFiles(names.map((name) => ({ name, mimeType: 'image/png', buffer })));
    await plan().getByText('30 images').waitFor();
    const download = page.waitForEvent('download', { timeout: 120_000 });
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await panel()
      .getByText(/[1-9]\d* of 30 images, .+ left/)
      .waitFor();
    await watched.loseDevice();
    await page.getByText('Image and phrases were kept').waitFor();
    await panel().getByRole('button', { name: 'Stop' }).click();
    const rows = tableOf(unzipSync(readFileSync(await (await download).path()))['findings.csv']!);
    expect(rows.map(({ error }) => error).filter((error) => error !== '')).toEqual([]);
    expect(rows.length).toBeLessThan(30);
    expect(rows.map(({ file }) => file)).toEqual(names.slice(0, rows.length));
    await panel().getByText('(stopped early)').waitFor();
  });

  it('has no accessibility violation, asked for nothing and ran into no error', async () => {
    expect(await accessibilityViolations(page)).toEqual([]);
    expect(watched.requests).toEqual([]);
    expect(watched.errors).toEqual([]);
  });
});
