import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { DownloadError } from './errors.ts';

export interface Checksum {
  /** `git-blob` is the hash under which git stores a file. */
  readonly algorithm: 'sha256' | 'md5' | 'git-blob';
  /** Lower case; of sha256 the beginning suffices. */
  readonly hex: string;
}

export interface Verified {
  readonly sha256: string;
  readonly bytes: number;
  /** The checksums that were compared; empty if nobody states one. */
  readonly checked: readonly Checksum[];
}

/** Hashes of a file, read in a stream. */
async function digest(path: string, algorithms: ReadonlySet<Checksum['algorithm']>): Promise<Map<string, string>> {
  const hashes = [...algorithms].map((algorithm) => {
    const hash = createHash(algorithm === 'git-blob' ? 'sha1' : algorithm);
    if (algorithm === 'git-blob') hash.update(`blob ${statSync(path).size}\0`);
    return [algorithm, hash] as const;
  });
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    for (const [, hash] of hashes) hash.update(chunk as Uint8Array);
  }
  return new Map(hashes.map(([algorithm, hash]) => [algorithm, hash.digest('hex')]));
}

/**
 * Compares a file with its checksums.
 * @param name what an error calls the file.
 * @throws DownloadError that says what was expected and found.
 */
export async function verifyFile(path: string, checksums: readonly Checksum[], name = path): Promise<Verified> {
  const found = await digest(path, new Set(['sha256' as const, ...checksums.map(({ algorithm }) => algorithm)]));
  for (const { algorithm, hex } of checksums) {
    const got = found.get(algorithm) ?? '';
    if (got.startsWith(hex)) continue;
    throw new DownloadError(`${name} has the wrong checksum: ${algorithm} ${got}, expected ${hex}.`);
  }
  return { sha256: found.get('sha256') ?? '', bytes: statSync(path).size, checked: checksums };
}
