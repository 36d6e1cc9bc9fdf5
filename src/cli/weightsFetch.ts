import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeJsonAtomic } from '../io/atomic.node.ts';
import { type Checksum, type Verified, verifyFile } from '../io/checksum.node.ts';
import { downloadFile } from '../io/download.node.ts';
import { DownloadError } from '../io/errors.ts';
import { addressOf, type PublishedFile, type PublishedWeights, publishedWeights } from '../io/publishedWeights.ts';
import { cachedPath, weightsCache } from '../io/weightsCache.node.ts';
import { byteProgress } from './byteProgress.ts';
import { formatFileSize, UsageError } from './common.ts';
import { interruptSignal } from './interrupt.ts';

export interface FetchFlags {
  readonly cache?: string;
  readonly baseUrl?: string;
}

/** Where each file came from, and what it looked like then; `fetched.json` beside the files. */
const recordSchema = z.record(
  z.string(),
  z.object({ url: z.string(), bytes: z.number(), sha256: z.string(), fetched: z.string() }),
);
type FetchRecord = z.infer<typeof recordSchema>;

function readRecord(path: string): FetchRecord {
  if (!existsSync(path)) return {};
  try {
    return recordSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    throw new UsageError(`${path} cannot be read; delete it to have the files checked anew.`);
  }
}

function weightsCalled(name: string): PublishedWeights {
  const known = Object.hasOwn(publishedWeights, name) ? publishedWeights[name] : undefined;
  if (known) return known;
  const names = Object.entries(publishedWeights).map(([own, { description }]) => `  ${own}: ${description}`);
  throw new UsageError(`There are no published weights called ${name}. Known are:\n${names.join('\n')}`);
}

/** What to do where there is no network. */
function byHand(files: readonly { readonly url: string; readonly path: string }[]): string {
  const lines = files.map(({ url, path }) => `  ${url}\n    -> ${path}`);
  return `Where there is no network, fetch on another machine and put each file at its place:\n${lines.join('\n')}`;
}

function describeCheck({ checked, sha256 }: Verified): string {
  if (checked.length === 0) return `no checksum is published; sha256 ${sha256.slice(0, 16)}... is kept for later`;
  return `${[...new Set(checked.map(({ algorithm }) => algorithm))].join(' and ')} correct`;
}

/** Where a file comes from and where it is to lie. */
interface Place {
  readonly url: string;
  readonly path: string;
}

async function checkPresent(path: string, checksums: readonly Checksum[]): Promise<Verified> {
  try {
    return await verifyFile(path, checksums);
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    throw new UsageError(`${error.message} Delete it and fetch again.`);
  }
}

async function download(
  { url, path }: Place,
  label: string,
  checksums: readonly Checksum[],
  signal: AbortSignal,
): Promise<Verified> {
  const progress = byteProgress(label);
  try {
    return await downloadFile(url, path, { checksums, signal, onProgress: progress.update });
  } finally {
    progress.stop();
  }
}

async function fetchAll(name: string, cache: string, base: string | undefined, signal: AbortSignal): Promise<void> {
  const { files } = weightsCalled(name);
  const recordPath = join(cache, name, 'fetched.json');
  const record = readRecord(recordPath);
  const placeOf = (file: PublishedFile): Place => ({ url: addressOf(file, base), path: cachedPath(name, file, cache) });
  for (const [i, file] of files.entries()) {
    const place = placeOf(file);
    const published = file.checksum ? [file.checksum] : [];
    const before = record[file.name];
    const isPresent = existsSync(place.path);
    const known: Checksum[] = before ? [{ algorithm: 'sha256', hex: before.sha256 }] : [];
    const result = isPresent
      ? await checkPresent(place.path, [...published, ...known])
      : await download(place, `${name} ${file.name}`, published, signal).catch((error: unknown) => {
          if (signal.aborted || !(error instanceof DownloadError)) throw error;
          const rest = files.slice(i).map(placeOf);
          throw new UsageError(`${error.message}\n${byHand(rest.filter(({ path }) => !existsSync(path)))}`);
        });
    const { sha256, bytes } = result;
    const changed = before !== undefined && before.sha256 !== sha256;
    if (before?.sha256 !== sha256) {
      record[file.name] = { url: place.url, bytes, sha256, fetched: new Date().toISOString() };
      await writeJsonAtomic(recordPath, record);
    }
    process.stdout.write(
      `${file.name}: ${isPresent ? 'already there' : 'fetched'}, ${formatFileSize(bytes)}, ${describeCheck(result)}` +
        `${changed ? `; it is another file than the one of ${before.fetched}` : ''}\n`,
    );
  }
}

/** `groundray weights fetch` */
export async function fetchWeights(name: string, flags: FetchFlags): Promise<void> {
  const { files } = weightsCalled(name);
  const cache = flags.cache ?? weightsCache();
  const { signal, dispose } = interruptSignal(
    'Stopping; what has arrived is kept, the same command goes on from there.',
  );
  try {
    await fetchAll(name, cache, flags.baseUrl ?? process.env.GROUNDRAY_WEIGHTS_URL, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = 130;
    return;
  } finally {
    dispose();
  }
  const flagOf = { bert: '--bert', resnet: '--resnet', vocabulary: '--vocab' } as const;
  const uses = files.flatMap(({ role }) => (role === 'description' ? [] : [`${flagOf[role]} ${name}`]));
  process.stdout.write(`In ${join(cache, name)}; use them with ${uses.join(', ')}.\n`);
}
