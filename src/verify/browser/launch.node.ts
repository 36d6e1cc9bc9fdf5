import type { Browser } from 'playwright-core';
import type { AdapterSummary } from '../../gpu/adapter.ts';
import { FixtureError } from '../errors.ts';
import type { FixtureSource } from '../format.ts';
import type { CaseReport, GroupReport } from '../report.ts';
import { bundlePage } from './bundle.node.ts';
import { findChromium } from './chromium.node.ts';
import type { PageEvent, PageOptions } from './page.ts';
import { servePage } from './server.node.ts';

export interface BrowserVerifyOptions {
  readonly group?: string | undefined;
  readonly case?: string | undefined;
  readonly adapter: 'auto' | 'software' | 'gpu' | 'swiftshader';
  readonly onAdapter?: (adapter: AdapterSummary) => void;
  readonly onCase?: (report: CaseReport) => void;
  readonly onGroup?: (report: GroupReport) => void;
}

const quietFlags = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
];

function flagsFor(adapter: BrowserVerifyOptions['adapter']): string[] {
  const hardware = ['--enable-features=Vulkan', '--use-angle=vulkan', '--ignore-gpu-blocklist'];
  const software = ['--use-webgpu-adapter=swiftshader'];
  // Root may not use the sandbox, as in most containers.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return [...quietFlags, '--enable-unsafe-webgpu', ...(adapter === 'gpu' ? hardware : software), ...sandbox];
}

/** What the software adapter needs to draw on a canvas as well. */
export const canvasFlags = ['--enable-features=Vulkan', '--use-angle=swiftshader', '--use-vulkan=swiftshader'];

/** Headless Chromium with WebGPU. Throws FixtureError if there is none. */
export async function launchChromium(
  adapter: BrowserVerifyOptions['adapter'],
  moreFlags: readonly string[] = [],
): Promise<Browser> {
  const { chromium } = await import('playwright-core').catch(() => {
    throw new FixtureError(
      '--browser needs the package playwright-core; run npm install with development dependencies.',
    );
  });
  const { executablePath, libraryFolders } = await findChromium();
  const libraryPath = [...libraryFolders, process.env.LD_LIBRARY_PATH ?? ''].filter(Boolean).join(':');
  // Chromium brings a SwiftShader of its own; the driver that this process may have chosen is not for it.
  const { VK_DRIVER_FILES: _, VK_ICD_FILENAMES: __, ...environment } = process.env;
  return chromium.launch({
    executablePath,
    args: [...flagsFor(adapter), ...moreFlags],
    env: { ...environment, LD_LIBRARY_PATH: libraryPath } as Record<string, string>,
  });
}

/**
 * Runs a fixtures folder in headless Chromium: the same runner and kernels, files over HTTP from localhost.
 * @throws FixtureError if no browser is found, the folder cannot be read or the browser gives up.
 */
export async function verifyInBrowser(fixtures: FixtureSource, options: BrowserVerifyOptions): Promise<GroupReport[]> {
  const groups: GroupReport[] = [];
  let failure: string | undefined;
  const receive = (event: PageEvent): void => {
    if (event.kind === 'adapter') options.onAdapter?.(event.adapter);
    else if (event.kind === 'case') options.onCase?.(event.report);
    else if (event.kind === 'error') failure = event.message;
    else {
      groups.push(event.report);
      options.onGroup?.(event.report);
    }
  };
  const server = await servePage(await bundlePage(), fixtures);
  try {
    const browser = await launchChromium(options.adapter);
    try {
      const page = await browser.newPage();
      const crashed = new Promise<never>((_, reject) => {
        page.on('crash', () => reject(new FixtureError('The page crashed in Chromium, probably out of memory.')));
        page.on('pageerror', (error) => reject(new FixtureError(`The page failed in Chromium: ${error.message}`)));
      });
      await page.exposeFunction('verifyReport', receive);
      await page.goto(server.address);
      const request: PageOptions = {
        group: options.group,
        case: options.case,
        requireHardware: options.adapter === 'gpu',
        requireSwiftShader: options.adapter === 'swiftshader',
      };
      await Promise.race([crashed, page.evaluate((given) => globalThis.verifyFixtures(given), request)]);
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
  if (failure !== undefined) throw new FixtureError(failure);
  return groups;
}
