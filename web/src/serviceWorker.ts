/** Keeps the page's own files, so that it opens without a network once it was loaded. */

/** Addresses relative to the page; the build puts them here, so that another build is another worker. */
declare const __PAGE_FILES__: readonly string[];

/** What this project's types, which are those of pages, lack. */
interface WorkerEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface RequestEvent extends WorkerEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const files = __PAGE_FILES__;
const prefix = 'groundray-page-';
const cacheName = prefix + fingerprint(files.join('\n'));

function fingerprint(text: string): string {
  let hash = 0;
  for (const character of text) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash.toString(16);
}

async function keepFiles(): Promise<void> {
  const cache = await caches.open(cacheName);
  await cache.addAll([...files]);
}

async function dropOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(prefix) && name !== cacheName).map((name) => caches.delete(name)),
  );
}

/** Names of files below `assets/` change with their content; what else there is may be newer on the server. */
async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  const kept = await cache.match(request, { ignoreSearch: true, ignoreVary: true });
  if (kept && new URL(request.url).pathname.includes('/assets/')) return kept;
  try {
    return await fetch(request);
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

addEventListener('install', (event) => (event as WorkerEvent).waitUntil(keepFiles()));
addEventListener('activate', (event) => (event as WorkerEvent).waitUntil(dropOthers()));
addEventListener('fetch', (event) => {
  const { request } = event as RequestEvent;
  if (request.method !== 'GET' || new URL(request.url).origin !== location.origin) return;
  (event as RequestEvent).respondWith(answer(request));
});
