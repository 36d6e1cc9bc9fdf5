import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { findChromium } from '../../../src/verify/browser/chromium.node.ts';
import type { Peer } from '../childProcess.ts';
import type { PeerAdapter, Reply, Request } from '../protocol.ts';

const quietFlags = [
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function flagsFor(adapter: PeerAdapter): string[] {
  const hardware = ['--enable-features=Vulkan', '--use-angle=vulkan', '--ignore-gpu-blocklist'];
  // Root may not use the sandbox, as in most containers.
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const software = ['--use-webgpu-adapter=swiftshader'];
  return [...quietFlags, '--enable-unsafe-webgpu', ...(adapter === 'gpu' ? hardware : software), ...sandbox];
}

/** The page's scripts by name: one entry, and a part for every library, which only its own page loads. */
async function bundle(): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page.ts')],
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    outdir: 'out',
    // The runtime of ONNX Runtime is handed over as bytes; its own loader mentions Node only for Node.
    external: ['node:*', 'module', 'worker_threads', 'fs', 'path', 'url'],
    logLevel: 'silent',
  });
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
}

async function serve(files: ReadonlyMap<string, Uint8Array>): Promise<{ address: string; close: () => void }> {
  const runtime = createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm');
  const page =
    '<!doctype html><meta charset="utf-8"><title>peers</title><script type="module" src="/page.js"></script>';
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const send = (type: string, body: string | Uint8Array): void => {
      // Isolated pages have finer clocks and shared memory, which ONNX Runtime uses.
      const isolated = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
      response.writeHead(200, { 'content-type': type, ...isolated }).end(body);
    };
    const script = files.get(pathname.slice(1));
    if (pathname === '/') send('text/html', page);
    else if (pathname === '/runtime.wasm') send('application/wasm', readFileSync(runtime));
    else if (script) send('text/javascript', script);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `http://localhost:${port}/`, close: () => server.close() };
}

class PagePeer implements Peer {
  private readonly page: Page;
  private ended: string | undefined;

  constructor(page: Page) {
    this.page = page;
    page.on('crash', () => this.end('The page crashed, probably out of memory.'));
    page.on('pageerror', (error) => this.end(`The page failed: ${error.message}`));
  }

  get alive(): boolean {
    return this.ended === undefined;
  }

  async request(request: Request, timeoutMs: number): Promise<Reply> {
    if (this.ended !== undefined) return { kind: 'failed', reason: this.ended };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Reply>((resolve) => {
      timer = setTimeout(() => {
        this.end(`It was stopped after ${(timeoutMs / 1000).toFixed(1)} s without an answer.`);
        void this.page.close().catch(() => undefined);
        resolve({ kind: 'failed', reason: this.ended ?? '' });
      }, timeoutMs);
    });
    const answer = this.page
      .evaluate((given) => globalThis.peerRequest(given), request)
      .catch((error: Error): Reply => ({ kind: 'failed', reason: this.ended ?? error.message }));
    const reply = await Promise.race([answer, late]);
    clearTimeout(timer);
    return reply;
  }

  async close(): Promise<void> {
    this.end('The page was closed.');
    await this.page.close().catch(() => undefined);
  }

  private end(reason: string): void {
    this.ended ??= reason;
  }
}

/** Headless Chromium in which each library gets a page of its own. */
export async function openBrowserPeers(
  adapter: PeerAdapter,
): Promise<{ readonly makePeer: () => Promise<Peer>; readonly close: () => Promise<void> }> {
  const server = await serve(await bundle());
  const { executablePath, libraryFolders } = await findChromium();
  const libraryPath = [...libraryFolders, process.env.LD_LIBRARY_PATH ?? ''].filter(Boolean).join(':');
  // Chromium brings a SwiftShader of its own; the driver that this process may have chosen is not for it.
  const { VK_DRIVER_FILES: _, VK_ICD_FILENAMES: __, ...environment } = process.env;
  const browser: Browser = await chromium.launch({
    executablePath,
    args: flagsFor(adapter),
    env: { ...environment, LD_LIBRARY_PATH: libraryPath } as Record<string, string>,
  });
  return {
    makePeer: async () => {
      const page = await browser.newPage();
      await page.goto(server.address);
      await page.waitForFunction(() => typeof globalThis.peerRequest === 'function');
      return new PagePeer(page);
    },
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}
