import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from '../../src/verify/browser/chromium.node.ts';
import { accessibilityViolations, openWeb, serveWeb, type WatchedPage, type WebSite } from './support/page.ts';

const hasChromium = await findChromium().then(
  () => true,
  () => false,
);

/** The JSON file that a button saves. */
async function saved(page: Page, button: Locator): Promise<{ readonly name: string; readonly text: string }> {
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return { name: download.suggestedFilename(), text: readFileSync(await download.path(), 'utf8') };
}

/** Cells of a table by the name of their row. */
async function rowsOf(table: Locator): Promise<Map<string, readonly string[]>> {
  const rows = await table
    .locator('tbody tr')
    .evaluateAll((found) =>
      found.map((row) => [...row.querySelectorAll('th[scope="row"], td')].map((cell) => cell.textContent ?? '')),
    );
  return new Map(rows.map(([name = '', ...cells]) => [name, cells]));
}

async function columnsOf(table: Locator): Promise<string[]> {
  return table.locator('thead th[scope="col"]').allTextContents();
}

interface TraceEvent {
  readonly name: string;
  readonly ts: number;
  readonly dur: number;
  readonly args: { readonly flops: number; readonly bytes: number };
}

describe.skipIf(!hasChromium)('the device panel in Chromium', () => {
  let site: WebSite;
  let watched: WatchedPage;
  let page: Page;
  const button = (name: string): Locator => page.getByRole('button', { name, exact: true });
  const said = (text: string): Promise<void> => page.getByRole('status').getByText(text).waitFor();
  const alert = (): Promise<string | null> => page.getByRole('alert').textContent();
  const phrase = (): Locator => page.getByLabel('Phrase', { exact: true });

  beforeAll(async () => {
    site = await serveWeb();
    watched = await openWeb(site);
    page = watched.page;
    await watched.loaded();
    await page.getByText('Device', { exact: true }).click();
  });

  afterAll(async () => {
    await site?.close();
  });

  it('records a trace of a question, shows its kernels by their time and saves it for a viewer', async () => {
    await button('Record a trace').press('Enter');
    const asked = await phrase().inputValue();
    const table = page.getByRole('table', { name: `GPU time of “${asked}”` });
    await table.waitFor({ timeout: 60_000 });
    await said('Recorded a trace of');
    expect(await columnsOf(table)).toEqual(['Kernel', 'Dispatches', 'ms', 'Share', 'GFLOP/s', 'GB/s']);
    const kernels = await rowsOf(table);
    // The towers of image and text, and the cosines of their results.
    for (const name of ['conv2dForward', 'matmul', 'layerNorm', 'cosinePairs'])
      expect([...kernels.keys()]).toContain(name);
    const column = (index: number): number[] => [...kernels.values()].map((cells) => Number.parseFloat(cells[index]!));
    expect(column(1)).toEqual([...column(1)].sort((a, b) => b - a));
    expect(column(2).reduce((sum, share) => sum + share, 0)).toBeCloseTo(100, -1);

    const { name, text } = await saved(page, button('Save the trace'));
    const { traceEvents } = JSON.parse(text) as { traceEvents: readonly TraceEvent[] };
    expect(name).toBe('groundray-trace.json');
    expect(traceEvents).toHaveLength(column(0).reduce((sum, count) => sum + count, 0));
    const products = traceEvents.filter((event) => event.name.startsWith('matmul/'));
    expect(String(products.length)).toBe(kernels.get('matmul')![0]);
    expect(products.every(({ args, dur }) => args.flops > 0 && dur >= 0)).toBe(true);
    expect(traceEvents.map(({ ts }) => ts)).toEqual(traceEvents.map(({ ts }) => ts).sort((a, b) => a - b));
  });

  it('stops a benchmark when asked to, and answers phrases meanwhile', { timeout: 200_000 }, async () => {
    await button('Run the benchmark').press('Enter');
    const progress = page.getByRole('progressbar', { name: 'Benchmark' });
    await expect.poll(() => progress.getAttribute('value'), { timeout: 100_000 }).toBe('1');
    await phrase().fill('right effusion while it measures');
    await page.getByRole('img', { name: '“right effusion while it measures”' }).waitFor({ timeout: 60_000 });
    await button('Stop the benchmark').press('Enter');
    await said('The benchmark was stopped.');
    expect(await page.getByRole('table', { name: /^Medians/ }).count()).toBe(0);
    expect(await progress.count()).toBe(0);
    expect(await alert()).toBe('');
  });

  it('says so when the device is lost under a benchmark, and keeps the own one', { timeout: 200_000 }, async () => {
    await button('Run the benchmark').click();
    const progress = page.getByRole('progressbar', { name: 'Benchmark' });
    await progress.waitFor();
    const worker = page.workers().find((each) => each.url().includes('benchmarkWorker'));
    await expect.poll(() => worker!.evaluate('typeof loseDevice')).toBe('function');
    await worker!.evaluate('loseDevice()');
    await expect.poll(alert, { timeout: 100_000 }).toMatch(/^The benchmark ended: The GPU device was lost/);
    await phrase().fill('left effusion after all');
    await page.getByRole('img', { name: '“left effusion after all”' }).waitFor();
  });

  it('measures kernels and a training step beside the roofline, and saves what it found', {
    timeout: 400_000,
  }, async () => {
    await button('Run the benchmark').press('Enter');
    const table = page.getByRole('table', { name: /^Medians of 3 measurements\. At best the device does/ });
    await table.waitFor({ timeout: 360_000 });
    await said('The benchmark is done');
    expect(await columnsOf(table)).toEqual(['Case', 'ms', 'GFLOP/s', 'GB/s', 'Of the best', 'Bound by']);
    const rows = await rowsOf(table);
    const { name, text } = await saved(page, button('Save the results'));
    const file = JSON.parse(text);
    expect(name).toMatch(/^groundray-bench-\d{4}-\d\d-\d\d\.json$/);
    expect(file).toMatchObject({
      format: 'groundray-page-bench',
      version: 1,
      adapter: { kind: 'software' },
      leftOut: [],
    });
    expect(file.userAgent).toMatch(/Chrome/);
    expect(file.limits.maxStorageBufferBindingSize).toBeGreaterThanOrEqual(2 ** 27);
    expect(file.features).toContain('timestamp-query');
    expect(Math.min(file.roofline.gflops, file.roofline.gigabytesPerSecond)).toBeGreaterThan(0);
    expect([...rows.keys()]).toEqual(file.results.map((result: { name: string }) => result.name));
    const families = new Set(file.results.map((result: { family: string }) => result.family));
    expect([...families]).toEqual(['matmul', 'conv2d', 'attention', 'layerNorm', 'softmax', 'step']);
    for (const [row, cells] of rows) {
      expect(
        cells.slice(0, 4).every((cell) => Number.parseFloat(cell.replace(',', '')) > 0),
        row,
      ).toBe(true);
      expect(cells[4], row).toMatch(/^(arithmetic|memory)$/);
    }
    expect(await alert()).toBe('');
  });

  it('has no accessibility violation with its tables, asked for nothing and ran into no error', async () => {
    expect(await accessibilityViolations(page)).toEqual([]);
    expect(watched.requests).toEqual([]);
    expect(watched.errors).toEqual([]);
  });

  it('says why it has no trace where the device has no timestamps', async () => {
    const workerPrelude = `
      const has = GPUSupportedFeatures.prototype.has;
      GPUSupportedFeatures.prototype.has = function (name) {
        return name !== 'timestamp-query' && has.call(this, name);
      };`;
    const without = await openWeb(site, { workerPrelude });
    await without.loaded();
    await without.page.getByText('Device', { exact: true }).click();
    await without.page.getByText('This device has no timestamp queries').waitFor();
    expect(await without.page.getByRole('button', { name: 'Record a trace' }).count()).toBe(0);
    await without.close();
  });
});
