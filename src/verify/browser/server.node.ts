import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FixtureError } from '../errors.ts';
import type { FixtureSource } from '../format.ts';

export interface PageServer {
  readonly address: string;
  close(): Promise<void>;
}

/** Serves the page, its script and the files of a fixtures folder on localhost, on a free port. */
export async function servePage(script: string, fixtures: FixtureSource): Promise<PageServer> {
  const page =
    '<!doctype html><meta charset="utf-8"><title>verify</title><script type="module" src="/page.js"></script>';
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const send = (status: number, type: string, body: string | Uint8Array): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    };
    if (pathname === '/') return send(200, 'text/html', page);
    if (pathname === '/page.js') return send(200, 'text/javascript', script);
    const file = /^\/fixtures\/(.+)$/.exec(decodeURIComponent(pathname))?.[1];
    if (!file || file.split(/[/\\]/).includes('..'))
      return send(404, 'text/plain', 'There is nothing at this address.');
    try {
      send(200, 'application/octet-stream', await fixtures.read(file));
    } catch (error) {
      send(404, 'text/plain', error instanceof FixtureError ? error.message : 'The file cannot be read.');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `http://localhost:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
