import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe } from 'vitest';
import { bundleExample, type ExampleServer, serveExample } from '../../../scripts/exampleServer.node.ts';
import { findChromium } from '../../../src/verify/browser/chromium.node.ts';
import { canvasFlags, launchChromium } from '../../../src/verify/browser/launch.node.ts';

const hasChromium = await findChromium().then(
  () => true,
  () => false,
);

interface PageSetup {
  /** Whether the page shows a WebGPU canvas, for which a software adapter has to compose the whole page. */
  readonly drawsWithWebGpu?: boolean;
  /** Before the page is opened. */
  readonly prepare?: (page: Page) => Promise<void>;
}

/** Describes the page of an example in headless Chromium; an error that nothing in the page catches fails the next test. */
export function describeInChromium(
  name: string,
  body: (page: () => Page) => void,
  { drawsWithWebGpu = false, prepare }: PageSetup = {},
): void {
  describe.skipIf(!hasChromium)(`the page of ${name}`, () => {
    let server: ExampleServer | undefined;
    let browser: Browser | undefined;
    let page: Page | undefined;
    const errors: string[] = [];
    beforeAll(async () => {
      await bundleExample(name);
      server = await serveExample(name);
      browser = await launchChromium('auto', drawsWithWebGpu ? canvasFlags : []);
      page = await browser.newPage();
      // A software adapter on a busy machine.
      page.setDefaultTimeout(100_000);
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text());
      });
      await prepare?.(page);
      await page.goto(server.address);
    });
    afterAll(async () => {
      await browser?.close();
      await server?.close();
    });
    body(() => {
      if (errors.length > 0) throw new Error(`The page of ${name} failed: ${errors.join('; ')}`);
      if (!page) throw new Error('page() is only valid inside a test.');
      return page;
    });
  });
}
