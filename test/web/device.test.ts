import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium } from '../../src/verify/browser/chromium.node.ts';
import { openWeb, serveWeb, type WatchedPage, type WebSite } from './support/page.ts';

const hasChromium = await findChromium().then(
  () => true,
  () => false,
);

/** The file that a button saves. */
async function saved(page: Page, button: Locator): Promise<Record<string, unknown>> {
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return JSON.parse(readFileSync(await download.path(), 'utf8'));
}

/** Cells of a table by the name of the row. */
async function rowsOf(table: Locator): Promise<Map<string, string[]>> {
  const rows = await table.locator('tbody tr').evaluateAll((found) =>
    found.map((row) => [...row.querySelectorAll('th, td')].map((cell) => cell.textContent ?? '')),
  );
  return new Map(rows.map(([name = '', ...cells]) => [name, cells]));
}

describe.skipIf(!hasChromium)('the device panel in Chromium', () => {
  let site: WebSite;
  let watched: WatchedPage;
  let page: Page;
  const button = (name: string): Locator => page.getByRole('button', { name, exact: true });

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
    const t = performance.now();
    await button('Record a trace').press('Enter');
    const table = page.getByRole('table', { name: /^GPU time of/ });
    await table.waitFor({ timeout: 60_000 });
    const kernels = await rowsOf(table);
    console.log(performance.now() - t, await table.locator('caption').textContent(), kernels);
  });

  it('measures kernels and a training step beside the roofline', { timeout: 400_000 }, async () => {
    const t = performance.now();
    await button('Run the benchmark').press('Enter');
    const table = page.getByRole('table', { name: /^Medians of/ });
    await table.waitFor({ timeout: 300_000 });
    console.log(performance.now() - t, await table.locator('caption').textContent(), await rowsOf(table));
    const file = await saved(page, button('Save the results'));
    console.log(JSON.stringify(file).slice(0, 3000));
    expect(watched.errors).toEqual([]);
    expect(watched.requests).toEqual([]);
  });
});
