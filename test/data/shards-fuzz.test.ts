import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/errors.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { createRandom, type Random } from '../../src/data/random.ts';
import { shardsDataset } from '../../src/data/shards/dataset.node.ts';
import { DROPPED_FILE, INDEX_FILE, linesFile, type ShardIndex } from '../../src/data/shards/format.ts';
import { sha256Of } from '../../src/data/shards/lines.node.ts';
import { unpackMask } from '../../src/data/shards/pixels.node.ts';
import { prepare } from '../../src/data/shards/prepare.node.ts';
import { verifyShards } from '../../src/data/shards/verify.node.ts';

// More on demand: GROUNDRAY_FUZZ=20000
const CASES = Number(process.env.GROUNDRAY_FUZZ ?? 1000);
const root = mkdtempSync(join(tmpdir(), 'groundray-shards-fuzz-'));
const sound = join(root, 'sound');
const folder = join(root, 'case');
let files: Map<string, Buffer>;

beforeAll(async () => {
  // Two small shards with masks.
  await prepare({
    source: { kind: 'phantom', count: 6, size: 32 },
    folder: sound,
    size: 32,
    shardMegabytes: 0.004,
    workers: 0,
  });
  files = new Map(readdirSync(sound).map((file) => [file, readFileSync(join(sound, file))]));
  cpSync(sound, folder, { recursive: true });
}, 60_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A few bytes changed, the end cut off, a piece doubled, or a number replaced by an extreme one. */
function mutate(bytes: Buffer, random: Random): Buffer {
  if (bytes.length === 0) return Buffer.from('{');
  const at = random.int(0, bytes.length);
  switch (random.int(0, 4)) {
    case 0: {
      const changed = Buffer.from(bytes);
      for (let i = random.int(1, 5); i > 0; i--) changed[random.int(0, bytes.length)] = random.int(0, 256);
      return changed;
    }
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.int(0, at + 1))]);
    default: {
      const text = bytes.toString('latin1');
      const numbers = [...text.matchAll(/\d+/g)];
      const { index = 0, 0: number = '' } = numbers.length > 0 ? random.pick(numbers) : {};
      const extreme = random.pick(['-1', '0', '65535', '4294967295', '9007199254740991', '1e308', 'null', '"x"', '[]']);
      return Buffer.from(text.slice(0, index) + extreme + text.slice(index + number.length), 'latin1');
    }
  }
}

/** Opens and reads everything. @returns the error, undefined where all went well. */
async function readAll(): Promise<unknown> {
  try {
    const dataset = await shardsDataset({ path: folder });
    for (const { id } of dataset.studies) await dataset.loadImage(id);
    for (const { loadMask } of dataset.phrases) await loadMask();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe(`${CASES} damaged folders`, () => {
  it('are read without trouble or fail with a DataError, and verification finds whatever reading finds', async () => {
    const random = createRandom('shards');
    const names = [...files.keys()].filter((file) => file !== 'prepare.json');
    let failures = 0;
    const before = process.memoryUsage().rss;
    for (let k = 0; k < CASES; k++) {
      const name = random.pick(names);
      const changed = new Map([[name, mutate(files.get(name) as Buffer, random)]]);
      // Every other list comes with a checksum that fits, so that what is behind it is reached.
      if (name.endsWith('.jsonl') && random.chance(0.7)) changed.set(INDEX_FILE, fitChecksums(changed));
      for (const [file, bytes] of changed) writeFileSync(join(folder, file), bytes);
      const error = await readAll();
      if (error !== undefined) {
        failures += 1;
        if (!(error instanceof DataError)) throw new Error(`Case ${k} (${name}): ${String(error)}`, { cause: error });
        expect((await verifyShards(folder)).problems, `case ${k} (${name}): ${error.message}`).not.toEqual([]);
      }
      for (const file of changed.keys()) writeFileSync(join(folder, file), files.get(file) as Buffer);
    }
    expect(failures).toBeGreaterThan(CASES / 2);
    expect(await readAll()).toBeUndefined();
    expect(process.memoryUsage().rss - before).toBeLessThan(512 * 2 ** 20);
  });

  it('unpacks no mask that is larger than it says', () => {
    const random = createRandom('masks');
    for (let k = 0; k < CASES; k++) {
      const bytes = Uint8Array.from({ length: random.int(0, 60) }, () => random.int(0, 256));
      try {
        const mask = unpackMask({ width: random.int(1, 50), height: random.int(1, 50), bytes }, 'case');
        expect(mask.data.length).toBe(mask.width * mask.height);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }
  });
});

function fitChecksums(changed: ReadonlyMap<string, Buffer>): Buffer {
  const index = JSON.parse((files.get(INDEX_FILE) as Buffer).toString('utf8')) as ShardIndex;
  const describe = (file: string) => {
    const bytes = (changed.get(file) ?? files.get(file)) as Buffer;
    return { bytes: bytes.length, sha256: sha256Of(bytes) };
  };
  const shards = index.shards.map(({ header }, shard) => ({ header, lines: describe(linesFile(shard)) }));
  return Buffer.from(JSON.stringify({ ...index, droppedFile: describe(DROPPED_FILE), shards }));
}

describe('an undamaged folder', () => {
  it('opens', async () => {
    expect((await openDataset({ kind: 'shards', path: sound })).studies).toHaveLength(6);
  });
});
