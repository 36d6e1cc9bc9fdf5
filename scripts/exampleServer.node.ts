/** Bundles and serves the pages of `examples/`, as `npm run example` and the tests see them. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'examples');

/** Examples with a page. */
export function pageExamples(): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && readdirSync(join(folder, entry.name)).includes('index.html'))
    .map(({ name }) => name)
    .sort();
}

/**
 * The scripts of an example, by file name: one for its page (`main.ts`) and one for each worker (`*Worker.ts`).
 * @throws if anything that they import reaches a built-in of Node.
 */
export async function bundleExample(name: string): Promise<ReadonlyMap<string, string>> {
  const entries = readdirSync(join(folder, name)).filter((file) => file === 'main.ts' || file.endsWith('Worker.ts'));
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: entries.map((file) => `examples/${name}/${file}`),
    bundle: true,
    write: false,
    outdir: '.',
    entryNames: '[name]',
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    logLevel: 'silent',
    // What the package's export map says to a browser. In a project of your own `npm install groundray` takes its place.
    tsconfigRaw: '{}',
    alias: { groundray: join(root, 'src/index.ts') },
    plugins: [
      {
        name: 'subpaths of the package',
        setup({ onResolve }) {
          onResolve({ filter: /^groundray\/\w+$/ }, ({ path }) => ({
            path: join(root, `src/index.${path.slice('groundray/'.length)}.ts`),
          }));
        },
      },
    ],
  });
  return new Map(outputFiles.map(({ path, text }) => [`${path.split(/[/\\]/).at(-1)}`, text]));
}

export interface ExampleServer {
  readonly address: string;
  close(): Promise<void>;
}

/** Serves one example on localhost: its page, and its scripts as they are now. @param port 0 = any that is free */
export async function serveExample(name: string, port = 0): Promise<ExampleServer> {
  const server = createServer(async ({ url = '/' }, response) => {
    const send = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }).end(body);
    };
    const path = new URL(url, 'http://localhost').pathname;
    try {
      if (path === '/') return send(200, 'text/html', readFileSync(join(folder, name, 'index.html'), 'utf8'));
      const script = extname(path) === '.js' ? (await bundleExample(name)).get(path.slice(1)) : undefined;
      if (script === undefined) return send(404, 'text/plain', 'There is nothing at this address.');
      send(200, 'text/javascript', script);
    } catch (error) {
      send(500, 'text/plain', error instanceof Error ? error.message : String(error));
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    address: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
