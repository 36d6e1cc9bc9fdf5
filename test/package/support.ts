import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type Metafile } from 'esbuild';
import { findChromium } from '../../src/verify/browser/chromium.node.ts';

export const root = resolve(import.meta.dirname, '../..');

/** Entries of the package that pages may import, with the sources behind them. */
export const browserEntries: Readonly<Record<string, string>> = {
  groundray: 'src/index.ts',
  'groundray/nn': 'src/index.nn.ts',
  'groundray/models': 'src/index.models.ts',
  'groundray/eval': 'src/index.eval.ts',
  'groundray/data': 'src/index.data.ts',
  'groundray/train': 'src/index.train.ts',
};

export interface Bundled {
  readonly text: string;
  readonly gzipBytes: number;
  readonly metafile: Metafile;
}

/** A module as a page would load it, minified; imports of `groundray` reach the sources. */
export async function bundleForPage(code: string): Promise<Bundled> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    stdin: { contents: code, resolveDir: root, loader: 'js' },
    alias: Object.fromEntries(Object.entries(browserEntries).map(([name, file]) => [name, join(root, file)])),
    bundle: true,
    write: false,
    metafile: true,
    minify: true,
    // With this platform an import of node:fs and the like is an error.
    platform: 'browser',
    format: 'esm',
    target: 'es2023',
    logLevel: 'silent',
  });
  const text = outputFiles[0]?.text ?? '';
  return { text, gzipBytes: gzipSync(text, { level: 9 }).length, metafile };
}

/** Why nothing can be tried in a browser; undefined where Chromium is found. */
export const chromiumIsMissing: string | undefined = await findChromium().then(
  () => undefined,
  (error: Error) => error.message,
);

export interface PageServer {
  readonly address: string;
  close(): void;
}

const types: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

/** Serves a folder on localhost, which is a secure context. `pages` come before its files. */
export async function serveFolder(folder: string, pages: Readonly<Record<string, string>> = {}): Promise<PageServer> {
  const server = createServer(async ({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    const body = pages[pathname] ?? (await readFile(join(folder, pathname)).catch(() => undefined));
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': types[extname(pathname)] ?? 'text/html' });
    response.end(body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    address: `http://localhost:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
