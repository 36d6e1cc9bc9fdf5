import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Checksum, type Verified, verifyFile } from './checksum.node.ts';
import { DownloadError } from './errors.ts';
import { type RemoteFile, requestFile } from './remoteFile.node.ts';

export interface DownloadOptions {
  /** Checksums that the publisher states; those that the server sends are checked as well. */
  readonly checksums?: readonly Checksum[];
  readonly onProgress?: (done: number, total: number | undefined) => void;
  /** Stops the download; what has arrived stays for the next time. */
  readonly signal?: AbortSignal;
  /** Times that a broken connection is taken up again without any progress. Default 4. */
  readonly retries?: number;
  /** Pause before the first repetition, in ms; doubled each time. Default 1000. */
  readonly pause?: number;
  /** Without a byte for so long, in ms, a connection counts as broken. Default 60 s. */
  readonly patience?: number;
}

/** Where a file lies while it arrives, and the tag of the version that it is of. */
function partOf(path: string): { readonly data: string; readonly tag: string } {
  return { data: `${path}.part`, tag: `${path}.part.tag` };
}

function partBytes(path: string): number {
  const { data } = partOf(path);
  return existsSync(data) ? statSync(data).size : 0;
}

function discardPart(path: string): void {
  const { data, tag } = partOf(path);
  rmSync(data, { force: true });
  rmSync(tag, { force: true });
}

async function receive(url: string, path: string, options: DownloadOptions): Promise<RemoteFile> {
  const { data, tag } = partOf(path);
  const { signal, patience = 60_000, onProgress } = options;
  const known = existsSync(tag) ? readFileSync(tag, 'utf8') : '';
  const remote = await requestFile(url, {
    begin: partBytes(path),
    tag: known,
    patience,
    ...(signal ? { signal } : {}),
  });
  await writeFile(tag, remote.tag ?? '');
  // A server that ignores the range, or has another version by now, sends the whole file.
  const file = await open(data, remote.begin > 0 ? 'r+' : 'w');
  let done = remote.begin;
  try {
    onProgress?.(done, remote.total);
    for await (const chunk of remote.chunks()) {
      if (remote.total !== undefined && done + chunk.length > remote.total) {
        throw new DownloadError(`${url} sent more than the ${remote.total} bytes that it announced.`);
      }
      await file.write(chunk, 0, chunk.length, done);
      done += chunk.length;
      onProgress?.(done, remote.total);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (remote.total !== undefined && done < remote.total) {
    throw new DownloadError(`The connection to ${url} broke after ${done} of ${remote.total} bytes.`, true);
  }
  return remote;
}

async function receiveChecked(url: string, path: string, options: DownloadOptions): Promise<Verified> {
  const remote = await receive(url, path, options);
  const { data, tag } = partOf(path);
  try {
    const result = await verifyFile(data, [...(options.checksums ?? []), ...remote.checksums], `What ${url} sent`);
    await rename(data, path);
    rmSync(tag, { force: true });
    return result;
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    discardPart(path);
    throw new DownloadError(
      `${error.message} It was thrown away; try again. If that happens twice, the file at the publisher has changed, or ` +
        'something on the way alters it.',
    );
  }
}

/**
 * Downloads a file to `path`, which only ever shows the complete and checked file: it arrives as `<path>.part`, goes on
 * where an earlier attempt stopped, is compared with every checksum that is known and then renamed.
 * @throws DownloadError that says what happened, or the reason of `signal` when that stopped it. The part stays for the
 * next time, unless its checksum is wrong.
 */
export async function downloadFile(url: string, path: string, options: DownloadOptions = {}): Promise<Verified> {
  const { signal, retries = 4, pause = 1000 } = options;
  await mkdir(dirname(path), { recursive: true });
  for (let failures = 0; ; ) {
    const before = partBytes(path);
    try {
      return await receiveChecked(url, path, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof DownloadError) || !error.temporary) throw error;
      failures = partBytes(path) > before ? 1 : failures + 1;
      if (failures > retries) throw new DownloadError(`${error.message} It was tried ${failures} times.`);
      await delay(pause * 2 ** (failures - 1), undefined, signal ? { signal } : {});
    }
  }
}
