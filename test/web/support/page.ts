import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { build, type PreviewServer, preview } from 'vite';
import { launchChromium } from '../../../src/verify/browser/launch.node.ts';

const configFile = resolve(import.meta.dirname, '../../../web/vite.config.ts');

/** A built page on a local server, and a browser to open it with. */
export interface WebSite {
  readonly browser: Browser;
  readonly address: string;
  readonly folder: string;
  close(): Promise<void>;
}

/** Builds the page into a folder of its own and serves it as `npm run web` does. */
export async function serveWeb(): Promise<WebSite> {
  const folder = mkdtempSync(join(tmpdir(), 'groundray-web-'));
  const outDir = join(folder, 'dist');
  await build({ configFile, logLevel: 'error', build: { outDir } });
  const server: PreviewServer = await preview({
    configFile,
    logLevel: 'error',
    build: { outDir },
    preview: { port: 0, host: '127.0.0.1' },
  });
  const found = server.httpServer.address();
  const port = typeof found === 'object' && found ? found.port : 0;
  const browser = await launchChromium('swiftshader');
  return {
    browser,
    address: `http://localhost:${port}/`,
    folder: outDir,
    close: async () => {
      await browser.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A page with what must not happen in it. */
export interface WatchedPage {
  readonly page: Page;
  /** Addresses asked for since `loaded` was called. */
  readonly requests: readonly string[];
  /** Errors in the console, among them what the Content-Security-Policy stopped. */
  readonly errors: readonly string[];
  /** Waits until the page has all that it needs. */
  loaded(): Promise<void>;
  /** Takes the device away from the worker that looks for phrases. */
  loseDevice(): Promise<void>;
  /** Closes the page, also while its workers are being loaded. */
  close(): Promise<void>;
}

/** Runs in every worker before its own script. */
const prelude = `
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    const device = await request.call(this, descriptor);
    globalThis.loseDevice = () => device.destroy();
    return device;
  };
`;

export interface WatchOptions extends BrowserContextOptions {
  /** Runs in every worker before its own script, in place of what lets `loseDevice` work. */
  readonly workerPrelude?: string;
}

export async function openWeb(
  site: WebSite,
  { workerPrelude = prelude, ...options }: WatchOptions = {},
): Promise<WatchedPage> {
  const page = await site.browser.newPage({ acceptDownloads: true, ...options });
  await page.route(/\/assets\/\w+Worker-[^/]+\.js$/, async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `{${workerPrelude}}\n${await response.text()}` });
  });
  const requests: string[] = [];
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(error.message));
  const loaded = async (): Promise<void> => {
    await page.goto(site.address);
    await page.locator('html[data-loaded]').waitFor({ state: 'attached', timeout: 60_000 });
    page.on('request', (request) => {
      if (!/^(blob|data):/.test(request.url())) requests.push(request.url());
    });
  };
  const loseDevice = async (): Promise<void> => {
    const worker = page.workers().find((each) => each.url().includes('engineWorker'));
    await worker?.evaluate('loseDevice()');
  };
  const close = async (): Promise<void> => {
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.close();
  };
  return { page, requests, errors, loaded, loseDevice, close };
}

/** Drops files on the page, or drags them over it, as from the desktop. */
export async function dropFiles(
  page: Page,
  files: Readonly<Record<string, Uint8Array>>,
  event: 'drop' | 'dragover' = 'drop',
): Promise<void> {
  const encoded = Object.entries(files).map(([name, bytes]) => ({ name, text: Buffer.from(bytes).toString('base64') }));
  const transfer = await page.evaluateHandle((given) => {
    const data = new DataTransfer();
    for (const { name, text } of given) {
      data.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], name));
    }
    return data;
  }, encoded);
  await page.locator('main').dispatchEvent(event, { dataTransfer: transfer });
}

/** What axe finds in the page as it is, a sentence each. */
export async function accessibilityViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run(document));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}
