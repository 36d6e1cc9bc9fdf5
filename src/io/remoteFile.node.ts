import type { Checksum } from './checksum.node.ts';
import { DownloadError } from './errors.ts';

/** An answer to a request for a file, or for its rest. */
export interface RemoteFile {
  /** First byte that is sent; 0 if the server sends the whole file whatever was asked. */
  readonly begin: number;
  /** Bytes of the whole file, where the server says. */
  readonly total: number | undefined;
  /** Name of this version of the file. */
  readonly tag: string | undefined;
  /** What the server says of the content. */
  readonly checksums: readonly Checksum[];
  chunks(): AsyncGenerator<Uint8Array>;
}

interface Request {
  /** Bytes that are there already. */
  readonly begin: number;
  /** Version that they are of; empty if that is not known, the whole file is then asked for. */
  readonly tag: string;
  readonly patience: number;
  readonly signal?: AbortSignal;
}

const mostRedirects = 8;

/** `W/"abc"` and `"abc"` are `abc`. */
function plainTag(tag: string | null): string | undefined {
  return tag?.replace(/^W\//, '').replaceAll('"', '') || undefined;
}

/** What a tag of the hub says of the content: the sha256 of large files, git's hash of small ones. */
function checksumsOf(tag: string | undefined): Checksum[] {
  if (tag !== undefined && /^[0-9a-f]{64}$/.test(tag)) return [{ algorithm: 'sha256', hex: tag }];
  return tag !== undefined && /^[0-9a-f]{40}$/.test(tag) ? [{ algorithm: 'git-blob', hex: tag }] : [];
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.cause.name : error.message;
}

/** A timer that breaks the connection when nothing arrives. */
function watchdog(patience: number): {
  readonly signal: AbortSignal;
  readonly feed: () => void;
  readonly stop: () => void;
} {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const stop = (): void => clearTimeout(timer);
  const feed = (): void => {
    stop();
    timer = setTimeout(() => controller.abort(new Error(`nothing arrived for ${patience / 1000} s`)), patience);
  };
  feed();
  return { signal: controller.signal, feed, stop };
}

function refuse(url: string, status: number): never {
  if (status === 404 || status === 410) throw new DownloadError(`${url} does not exist (HTTP ${status}).`);
  if (status === 401 || status === 403) {
    throw new DownloadError(`${url} may not be fetched without signing in (HTTP ${status}); fetch it in a browser.`);
  }
  throw new DownloadError(`${url} answered with HTTP ${status}.`, status === 429 || status >= 500);
}

/**
 * Asks for a file from byte `begin` on, and follows redirections by hand: the hub sends checksums with the first answer.
 * @throws DownloadError if the server cannot be reached or refuses.
 */
export async function requestFile(url: string, { begin, tag: before, patience, signal }: Request): Promise<RemoteFile> {
  const dog = watchdog(patience);
  const combined = signal ? AbortSignal.any([signal, dog.signal]) : dog.signal;
  const broken = (error: unknown): DownloadError => {
    const reason = dog.signal.aborted ? reasonOf(dog.signal.reason) : reasonOf(error);
    return new DownloadError(`The connection to ${url} broke: ${reason}.`, true);
  };
  const resuming = begin > 0 && before !== '';
  // Compressed answers would make a mess of positions.
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  if (resuming) headers.range = `bytes=${begin}-`;
  let linkedTag: string | undefined;
  let isHub = false;
  let answer: Response | undefined;
  let address = url;
  try {
    for (let hops = 0; ; hops++) {
      answer = await fetch(address, { headers, redirect: 'manual', signal: combined });
      linkedTag ??= plainTag(answer.headers.get('x-linked-etag'));
      isHub ||= answer.headers.has('x-repo-commit');
      const location = answer.headers.get('location');
      if (answer.status < 300 || answer.status >= 400 || !location) break;
      await answer.body?.cancel();
      if (hops === mostRedirects) throw new DownloadError(`${url} redirects in a circle.`);
      address = new URL(location, address).href;
    }
  } catch (error) {
    dog.stop();
    signal?.throwIfAborted();
    if (error instanceof DownloadError) throw error;
    if (dog.signal.aborted) throw broken(error);
    // Without a network every attempt ends like this; a download that was under way may go on.
    throw new DownloadError(`${url} cannot be reached: ${reasonOf(error)}.`, begin > 0);
  }
  const { status, body } = answer;
  if (status === 416 && resuming) {
    // What is there already is no beginning of this file: begin anew.
    dog.stop();
    await body?.cancel();
    return requestFile(url, { begin: 0, tag: '', patience, ...(signal ? { signal } : {}) });
  }
  if ((status !== 200 && status !== 206) || !body) {
    dog.stop();
    await body?.cancel();
    refuse(url, status);
  }
  const tag = linkedTag ?? plainTag(answer.headers.get('etag'));
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.headers.get('content-range') ?? '');
  if (status === 206 && (Number(range?.[1]) !== begin || tag !== before)) {
    dog.stop();
    await body.cancel();
    return requestFile(url, { begin: 0, tag: '', patience, ...(signal ? { signal } : {}) });
  }
  const length = Number(answer.headers.get('content-length') ?? Number.NaN);
  const first = status === 206 ? begin : 0;
  const whole = status === 206 && range?.[2] !== '*' ? Number(range?.[2]) : first + length;
  return {
    begin: first,
    total: Number.isFinite(whole) ? whole : undefined,
    tag,
    // The tags of other servers may look like hashes and be none.
    checksums: linkedTag !== undefined || isHub ? checksumsOf(tag) : [],
    async *chunks() {
      try {
        for await (const chunk of body) {
          dog.feed();
          yield chunk as Uint8Array;
        }
      } catch (error) {
        signal?.throwIfAborted();
        throw error instanceof DownloadError ? error : broken(error);
      } finally {
        dog.stop();
      }
    },
  };
}
