import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fetchWeights } from '../../src/cli/weightsFetch.ts';
import { downloadFile } from '../../src/io/download.node.ts';
import { temporaryFolder } from '../support/tinyRun.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server of this test; returns its address and the requests it got. */
async function serve(answer: Answer): Promise<{ base: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const content = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);
const sha256 = createHash('sha256').update(content).digest('hex');
const md5 = createHash('md5').update(content).digest('hex');
const tag = { etag: '"v1"' };

function beginOf(request: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
}

/** Sends the rest that was asked for, or all of it. */
function send(request: IncomingMessage, response: ServerResponse, headers: Record<string, string> = tag): void {
  const begin = beginOf(request);
  const rest = content.subarray(begin);
  const range = begin > 0 ? { 'content-range': `bytes ${begin}-${content.length - 1}/${content.length}` } : {};
  response.writeHead(begin > 0 ? 206 : 200, { 'content-length': rest.length, ...range, ...headers });
  response.end(rest);
}

/** Announces all, sends `count` bytes and hangs up. */
function hangUp(request: IncomingMessage, response: ServerResponse, count: number): void {
  const begin = beginOf(request);
  const range = begin > 0 ? { 'content-range': `bytes ${begin}-${content.length - 1}/${content.length}` } : {};
  response.writeHead(begin > 0 ? 206 : 200, { 'content-length': content.length - begin, ...range, ...tag });
  response.write(content.subarray(begin, begin + count), () => setTimeout(() => response.destroy(), 20));
}

const quick = { pause: 1, patience: 300 };

describe('downloadFile', () => {
  it('compares the checksums that are known, tells how far it is, and leaves nothing but the file', async () => {
    const { base } = await serve(send);
    const path = join(temporaryFolder(), 'deep/er/weights.bin');
    const steps: [number, number | undefined][] = [];
    const checksums = [
      { algorithm: 'md5', hex: md5 },
      { algorithm: 'sha256', hex: sha256.slice(0, 8) },
    ] as const;
    const result = await downloadFile(`${base}/w`, path, { checksums, onProgress: (...step) => steps.push(step) });
    expect(result).toMatchObject({ sha256, bytes: content.length, checked: checksums });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(steps.at(-1)).toEqual([content.length, content.length]);
    expect([existsSync(`${path}.part`), existsSync(`${path}.part.tag`)]).toEqual([false, false]);
  });

  it('goes on where a connection broke, again and again', async () => {
    const { base, requests } = await serve((request, response) =>
      beginOf(request) < 200_000 ? hangUp(request, response, 40_000) : send(request, response),
    );
    const path = join(temporaryFolder(), 'w');
    await downloadFile(`${base}/w`, path, { ...quick, retries: 5 });
    expect(readFileSync(path).equals(content)).toBe(true);
    // What arrives together with the end of a connection may be lost, and is then asked for again.
    expect([...new Set(requests.map(beginOf))]).toEqual([0, 1, 2, 3, 4, 5].map((i) => 40_000 * i));
  });

  it('takes a silent connection for a broken one', async () => {
    const { base, requests } = await serve((request, response) => {
      if (requests.length > 1) send(request, response);
      else {
        response.writeHead(200, { 'content-length': content.length, ...tag });
        response.write(content.subarray(0, 1000));
      }
    });
    const path = join(temporaryFolder(), 'w');
    await downloadFile(`${base}/w`, path, quick);
    expect(requests.map(beginOf)).toEqual([0, 1000]);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  it('begins anew where the server ignores ranges, has another version, or finds the part too long', async () => {
    const whole: Answer = (_, response) => {
      response.writeHead(200, { 'content-length': content.length, ...tag });
      response.end(content);
    };
    const other: Answer = (request, response) => send(request, response, { etag: '"v2"' });
    const tooLong: Answer = (request, response) => {
      if (request.headers.range) response.writeHead(416).end();
      else send(request, response);
    };
    for (const answer of [whole, other, tooLong]) {
      const { base } = await serve(answer);
      const path = join(temporaryFolder(), 'w');
      writeFileSync(`${path}.part`, new Uint8Array(5000));
      writeFileSync(`${path}.part.tag`, 'v1');
      await downloadFile(`${base}/w`, path, quick);
      expect(readFileSync(path).equals(content)).toBe(true);
    }
  });

  it('throws away what has the wrong checksum, stated by the publisher or by the hub behind a redirection', async () => {
    const { base } = await serve((request, response) => {
      if (request.url === '/hub')
        response.writeHead(302, { location: '/blob', 'x-linked-etag': `"${'0'.repeat(64)}"` }).end();
      else send(request, response);
    });
    const path = join(temporaryFolder(), 'w');
    const wrong = [{ algorithm: 'sha256', hex: 'abad1dea' }] as const;
    await expect(downloadFile(`${base}/w`, path, { checksums: wrong })).rejects.toThrow(
      new RegExp(`wrong checksum: sha256 ${sha256}, expected abad1dea\\. It was thrown away; try again`),
    );
    await expect(downloadFile(`${base}/hub`, path)).rejects.toThrow(/wrong checksum.*expected 0000/);
    expect([existsSync(path), existsSync(`${path}.part`)]).toEqual([false, false]);
  });

  it('believes the tag of the hub: sha256 for large files, the hash of git for small ones', async () => {
    const blob = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    const { base } = await serve((request, response) => {
      if (request.url === '/hub') response.writeHead(302, { location: '/blob', 'x-linked-etag': `"${sha256}"` }).end();
      else
        send(request, response, { etag: `"${blob}"`, ...(request.url === '/small' ? { 'x-repo-commit': 'abc' } : {}) });
    });
    const path = join(temporaryFolder(), 'w');
    expect((await downloadFile(`${base}/hub`, path)).checked).toEqual([{ algorithm: 'sha256', hex: sha256 }]);
    expect((await downloadFile(`${base}/small`, path)).checked).toEqual([{ algorithm: 'git-blob', hex: blob }]);
    expect((await downloadFile(`${base}/elsewhere`, path)).checked).toEqual([]);
  });

  it('says what the server answered, and tries again only where that may help', async () => {
    const { base, requests } = await serve((request, response) => {
      response.writeHead(Number(request.url?.slice(1)), { location: request.url ?? '' }).end('no');
    });
    const path = join(temporaryFolder(), 'w');
    const attempt = (status: string) => downloadFile(`${base}/${status}`, path, { ...quick, retries: 2 });
    const count = (status: string): number => requests.filter(({ url }) => url === `/${status}`).length;
    await expect(attempt('404')).rejects.toThrow(/\/404 does not exist \(HTTP 404\)/);
    await expect(attempt('403')).rejects.toThrow(/may not be fetched without signing in/);
    await expect(attempt('500')).rejects.toThrow(/answered with HTTP 500\. It was tried 3 times/);
    await expect(attempt('302')).rejects.toThrow(/redirects in a circle/);
    expect([count('404'), count('500')]).toEqual([1, 3]);
    await expect(downloadFile('http://127.0.0.1:1/w', path)).rejects.toThrow(/cannot be reached/);
  });

  it('keeps the part when it is stopped', async () => {
    const { base, requests } = await serve((request, response) => {
      if (requests.length > 1) return send(request, response);
      response.writeHead(200, { 'content-length': content.length, ...tag });
      response.write(content.subarray(0, 50_000));
    });
    const path = join(temporaryFolder(), 'w');
    const controller = new AbortController();
    const onProgress = (done: number): void => void (done === 50_000 && controller.abort());
    await expect(downloadFile(`${base}/w`, path, { onProgress, signal: controller.signal })).rejects.toThrow(/abort/i);
    expect(existsSync(path)).toBe(false);
    await downloadFile(`${base}/w`, path);
    expect(requests.map(beginOf)).toEqual([0, 50_000]);
    expect(readFileSync(path).equals(content)).toBe(true);
  });
});

describe('groundray weights fetch', () => {
  /** Runs the command and returns what it prints. */
  async function fetched(name: string, flags: { cache: string; baseUrl: string }): Promise<string> {
    const parts: string[] = [];
    const write = process.stdout.write;
    process.stdout.write = ((text: string) => parts.push(text) > 0) as typeof write;
    try {
      await fetchWeights(name, flags);
    } finally {
      process.stdout.write = write;
    }
    return parts.join('');
  }

  it('fetches every file of a model once, and notices when one is damaged later', async () => {
    const { base, requests } = await serve((request, response) => send(request, response));
    const cache = temporaryFolder();
    const flags = { cache, baseUrl: base };
    expect(await fetched('bert-tiny', flags)).toMatch(
      /pytorch_model\.bin: fetched, 300\.0 kB.*--vocab bert-tiny, --bert bert-tiny/s,
    );
    expect(requests.map(({ url }) => url)).toEqual(
      ['config.json', 'vocab.txt', 'pytorch_model.bin'].map((file) => `/prajjwal1/bert-tiny/resolve/main/${file}`),
    );
    expect(await fetched('bert-tiny', flags)).toMatch(/already there.*sha256 correct/);
    expect(requests).toHaveLength(3);
    const record = JSON.parse(readFileSync(join(cache, 'bert-tiny/fetched.json'), 'utf8'));
    expect(record['vocab.txt']).toMatchObject({ sha256, bytes: content.length });
    writeFileSync(join(cache, 'bert-tiny/vocab.txt'), 'something else');
    await expect(fetched('bert-tiny', flags)).rejects.toThrow(
      /vocab\.txt has the wrong checksum.*Delete it and fetch again/,
    );
  });

  it('checks the checksum in the name of a file, and takes one that was put there by hand', async () => {
    const { base } = await serve((request, response) => send(request, response));
    const cache = temporaryFolder();
    await expect(fetched('resnet50', { cache, baseUrl: base })).rejects.toThrow(/expected 0676ba61/);
    const path = join(cache, 'bert-tiny', 'vocab.txt');
    mkdirSync(join(cache, 'bert-tiny'));
    writeFileSync(path, 'by hand');
    expect(await fetched('bert-tiny', { cache, baseUrl: base })).toMatch(
      /vocab\.txt: already there.*no checksum is published/,
    );
  });

  it('says which file to put where when there is no network, and which names it knows', async () => {
    const flags = { cache: temporaryFolder(), baseUrl: 'http://127.0.0.1:1' };
    const message = await fetched('bio-clinical-bert', flags).catch((error: Error) => error.message);
    expect(message).toMatch(/cannot be reached[\s\S]*Where there is no network/);
    expect(message).toContain(
      'http://127.0.0.1:1/emilyalsentzer/Bio_ClinicalBERT/resolve/main/pytorch_model.bin\n' +
        `    -> ${flags.cache}/bio-clinical-bert/pytorch_model.bin`,
    );
    await expect(fetched('bert-huge', flags)).rejects.toThrow(/no published weights called bert-huge[\s\S]*biovil/);
  });
});
