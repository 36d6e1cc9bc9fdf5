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
import { UsageError } from './common.ts';
import { interruptSignal } from './interrupt.ts';
import type { FetchFlags } from './weights.ts';
import { formatSize } from './weightsInspect.ts';

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

/** `groundray weights fetch` */
export async function fetchWeights(name: string, flags: FetchFlags): Promise<void> {
  const { files } = weightsCalled(name);
  const cache = flags.cache ?? weightsCache();
  const base = flags.baseUrl ?? process.env.GROUNDRAY_WEIGHTS_URL;
  const recordPath = join(cache, name, 'fetched.json');
  const record = readRecord(recordPath);
  const { signal, dispose } = interruptSignal(
    'Stopping; what has arrived is kept, the same command goes on from there.',
  );
  const place = (file: PublishedFile) => ({ url: addressOf(file, base), path: cachedPath(name, file, cache) });
  try {
    for (const [i, file] of files.entries()) {
      const { url, path } = place(file);
      const checksums: Checksum[] = file.checksum ? [file.checksum] : [];
      const before = record[file.name];
      let result: Verified;
      let how = 'fetched';
      if (existsSync(path)) {
        how = 'already there';
        if (before) checksums.push({ algorithm: 'sha256', hex: before.sha256 });
        result = await verifyFile(path, checksums).catch((error: unknown) => {
          if (!(error instanceof DownloadError)) throw error;
          throw new UsageError(`${error.message} Delete it and fetch again.`);
        });
      } else {
        const progress = byteProgress(`${name} ${file.name}`);
        try {
          result = await downloadFile(url, path, { checksums, signal, onProgress: progress.update });
        } catch (error) {
          if (signal.aborted) throw error;
          if (!(error instanceof DownloadError)) throw error;
          const rest = files.slice(i).filter((other) => !existsSync(place(other).path));
          throw new UsageError(`${error.message}\n${byHand(rest.map(place))}`);
        } finally {
          progress.stop();
        }
      }
      if (before?.sha256 !== result.sha256) {
        const { sha256, bytes } = result;
        record[file.name] = { url, bytes, sha256, fetched: new Date().toISOString() };
        await writeJsonAtomic(recordPath, record);
      }
      process.stdout.write(`${file.name}: ${how}, ${formatSize(result.bytes)}, ${describeCheck(result)}\n`);
    }
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
