import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RADIOGRAPH_AUGMENTATION } from '../../src/data/augment.ts';
import { createBatchLoader } from '../../src/data/loader.node.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { phantomDataset } from '../../src/data/phantom/dataset.ts';
import { phantomVocabulary } from '../../src/data/phantom/vocabulary.ts';
import { writeDataset } from '../../src/data/phantom/write.node.ts';
import { preprocess } from '../../src/data/preprocess.ts';
import { prepare } from '../../src/data/shards/prepare.node.ts';
import { verifyShards } from '../../src/data/shards/verify.node.ts';
import { parseDataFlag } from '../../src/data/spec.node.ts';
import type { Dataset } from '../../src/data/types.ts';

const root = mkdtempSync(join(tmpdir(), 'groundray-shards-'));
const source = join(root, 'source');
const packed = join(root, 'packed');
// From 96 x 96 images; 0.02 MiB hold nine of them.
const size = 48;
const settings = { source: { kind: 'folder', path: source }, size, workers: 0 } as const;
let counter = 0;
const fresh = (): string => join(root, `case-${counter++}`);
const copy = (): string => {
  const folder = fresh();
  cpSync(packed, folder, { recursive: true });
  return folder;
};
const open = (path: string): Promise<Dataset> => openDataset({ kind: 'shards', path });
const plain = ({ studies, phrases, dropped, name }: Dataset) => ({
  name,
  studies,
  dropped,
  phrases: phrases.map(({ loadMask: _, ...rest }) => rest),
});

beforeAll(async () => {
  await writeDataset(phantomDataset({ count: 24, size: 96 }), { folder: source });
  const manifest = readFileSync(join(source, 'manifest.csv'), 'utf8').trimEnd().split('\n');
  const [, file] = (manifest[1] as string).split(',') as [string, string];
  // A lateral view, and an image that phrases alone need, as its report is empty.
  manifest.push(`side,${file},p-side,train,LATERAL,Clear lungs.`, `silent,${file},p-silent,test,PA,`);
  writeFileSync(join(source, 'manifest.csv'), `${manifest.join('\n')}\n`);
  const phrases = readFileSync(join(source, 'phrases.csv'), 'utf8').trimEnd().split('\n');
  const row = (phrases[1] as string).split(',');
  phrases.push(['q', 'silent', ...row.slice(2)].join(','));
  writeFileSync(join(source, 'phrases.csv'), `${phrases.join('\n')}\n`);
  await prepare({ ...settings, folder: packed, shardMegabytes: 0.02 });
}, 60_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('a prepared data set', () => {
  it('has the studies, reports, splits, phrases and dropped items of its source, in its order', async () => {
    expect(plain(await open(packed))).toEqual(plain(await openDataset(settings.source)));
    expect(readdirSync(packed).filter((file) => file.endsWith('.bin')).length).toBeGreaterThan(2);
  });

  it('gives the model the pixels of its source within 8-bit rounding, and within 16-bit rounding where asked', async () => {
    const folder = fresh();
    await prepare({ ...settings, folder, depth: 16 });
    const original = await openDataset(settings.source);
    for (const [path, step] of [
      [packed, 1 / 255],
      [folder, 1 / 65535],
    ] as const) {
      const dataset = await open(path);
      for (const { id } of original.studies) {
        const expected = preprocess(await original.loadImage(id), size).image.data;
        const found = preprocess(await dataset.loadImage(id), size).image.data;
        const worst = found.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? 0))), 0);
        expect(worst).toBeLessThanOrEqual(step / 2 + 1e-6);
      }
    }
  });

  it('keeps images that are smaller than the size as they are, to the last bit', async () => {
    const folder = fresh();
    await prepare({ ...settings, folder, size: 500 });
    const [original, dataset] = [await openDataset(settings.source), await open(folder)];
    for (const { id } of original.studies) expect(await dataset.loadImage(id)).toEqual(await original.loadImage(id));
  });

  it('keeps masks in the frame of their source', async () => {
    const [original, dataset] = [await openDataset(settings.source), await open(packed)];
    expect(dataset.phrases.length).toBeGreaterThan(5);
    for (const [i, phrase] of original.phrases.entries()) {
      expect(await dataset.phrases[i]?.loadMask()).toEqual(await phrase.loadMask());
    }
  });

  it('gives the batches of its source on worker threads, in the same order, within 8-bit rounding', async () => {
    const options = {
      tokenizer: { vocabulary: phantomVocabulary(), lowerCase: true },
      split: 'train',
      batchSize: 4,
      imageSize: 42,
      seed: 5,
      maxTokens: 64,
      augment: RADIOGRAPH_AUGMENTATION,
      workers: 1,
    } as const;
    const loaders = [
      await createBatchLoader({ ...options, dataset: settings.source }),
      await createBatchLoader({ ...options, dataset: parseDataFlag(packed) }),
    ] as const;
    try {
      const [{ images: expected, ...texts }, { images: found, ...others }] = await Promise.all([
        loaders[0].batch(1, 2),
        loaders[1].batch(1, 2),
      ]);
      expect(others).toEqual(texts);
      const worst = found.reduce((most, value, i) => Math.max(most, Math.abs(value - (expected[i] ?? 0))), 0);
      // Pixels are doubled by normalisation and raised by up to 15 % of contrast; black stays black.
      expect(worst).toBeLessThanOrEqual((2 * 1.15 * 0.5) / 255);
    } finally {
      await Promise.all(loaders.map((loader) => loader.close()));
    }
  });

  it('is found by its folder, finished or not', async () => {
    const folder = copy();
    expect([parseDataFlag(folder).kind, parseDataFlag(source).kind]).toEqual(['shards', 'folder']);
    rmSync(join(folder, 'shards.json'));
    await expect(openDataset(parseDataFlag(folder))).rejects.toThrow(
      /not finished. Run the same groundray prepare again/,
    );
  });
});

describe('prepare', () => {
  it('writes the same with worker threads', async () => {
    const folder = fresh();
    await prepare({ ...settings, folder, shardMegabytes: 0.02, workers: 2 });
    for (const file of readdirSync(packed)) {
      expect(readFileSync(join(folder, file)).equals(readFileSync(join(packed, file))), file).toBe(true);
    }
  });

  it('keeps whole shards when it is stopped, and a rerun ends with the same bytes', async () => {
    const folder = fresh();
    const controller = new AbortController();
    const stopped = prepare({
      ...settings,
      folder,
      shardMegabytes: 0.02,
      signal: controller.signal,
      onImage: ({ done }) => done === 20 && controller.abort(),
    });
    await expect(stopped).rejects.toThrow(/abort/);
    // A kill leaves a temporary file behind.
    writeFileSync(join(folder, 'shard-00002.bin.123456'), 'half');
    const kept: number[] = [];
    await prepare({ ...settings, folder, shardMegabytes: 0.02, onImage: (progress) => kept.push(progress.kept) });
    expect(kept[0]).toBeGreaterThanOrEqual(9);
    expect(readdirSync(folder).sort()).toEqual(readdirSync(packed).sort());
    for (const file of readdirSync(packed)) {
      expect(readFileSync(join(folder, file)).equals(readFileSync(join(packed, file))), file).toBe(true);
    }
  });

  it('packs a shard again that was lost after all were done', async () => {
    const folder = copy();
    rmSync(join(folder, 'shard-00001.bin'));
    await prepare({ ...settings, folder, shardMegabytes: 0.02 });
    expect((await verifyShards(folder)).problems).toEqual([]);
  });

  it('says what changed since it was begun, and begins anew when told to', async () => {
    const folder = copy();
    await expect(prepare({ ...settings, folder, size: 40, shardMegabytes: 0.02 })).rejects.toThrow(
      /changed: size \(was 48, is 40\).*--overwrite/,
    );
    const other = join(root, `other-${counter++}`);
    cpSync(source, other, { recursive: true });
    const changed = { ...settings, source: { kind: 'folder', path: other }, folder } as const;
    await expect(prepare({ ...changed, shardMegabytes: 0.02 })).rejects.toThrow(/changed: source/);
    await prepare({ ...changed, size: 40, overwrite: true });
    expect(existsSync(join(folder, 'shard-00001.bin'))).toBe(false);
    expect((await verifyShards(folder)).problems).toEqual([]);
  });

  it('writes into no folder that holds anything else', async () => {
    await expect(prepare({ ...settings, folder: source })).rejects.toThrow(/expected a new or empty folder/);
    await expect(prepare({ ...settings, folder: source, overwrite: true })).rejects.toThrow(/new or empty folder/);
  });

  it('leaves bad images and masks out and lists them, unless it is strict or nothing is left', async () => {
    const bad = join(root, 'bad');
    cpSync(source, bad, { recursive: true });
    const from = { ...settings, source: { kind: 'folder', path: bad } } as const;
    const original = await openDataset(from.source);
    const [broken] = original.studies;
    const images = readdirSync(join(bad, 'images'));
    truncateSync(join(bad, 'images', images.find((file) => file.startsWith(broken!.id)) as string), 60);
    const mask = readdirSync(join(bad, 'phrase-masks')).find((file) => !file.startsWith(broken!.id)) as string;
    writeFileSync(join(bad, 'phrase-masks', mask), 'no image');
    const folder = fresh();
    const index = await prepare({ ...from, folder });
    const dataset = await open(folder);
    expect(dataset.studies.map(({ id }) => id)).not.toContain(broken!.id);
    expect(dataset.dropped?.find(({ studyId }) => studyId === broken!.id)?.reason).toMatch(/cannot be decoded/);
    expect(readFileSync(join(folder, 'dropped.jsonl'), 'utf8')).toContain('"phrase":');
    expect(index.studies).toBe(original.studies.length - 1);
    expect((await verifyShards(folder)).problems).toEqual([]);
    await expect(prepare({ ...from, folder: fresh(), strict: true })).rejects.toThrow(/cannot be packed.*--strict/);
    for (const file of images) writeFileSync(join(bad, 'images', file), 'no image');
    await expect(prepare({ ...from, folder: fresh() })).rejects.toThrow(/none of the \d+ images can be packed/);
  });
});

describe('a damaged folder', () => {
  it('fails with file and study where a shard was changed, and verification lists it', async () => {
    const folder = copy();
    const path = join(folder, 'shard-00001.bin');
    const bytes = readFileSync(path);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const dataset = await open(folder);
    const failures = (await Promise.allSettled(dataset.studies.map(({ id }) => dataset.loadImage(id)))).filter(
      (result) => result.status === 'rejected',
    );
    expect(failures.map(({ reason }) => String(reason))).toEqual([
      expect.stringMatching(/DataError: .*shard-00001\.bin, study ".+": the checksum does not fit/),
    ]);
    const { problems } = await verifyShards(folder);
    expect(problems).toHaveLength(2);
  });

  it('is refused when a shard was cut off or removed', async () => {
    const folder = copy();
    truncateSync(join(folder, 'shard-00002.bin'), 1000);
    await expect(open(folder)).rejects.toThrow(/shard-00002\.bin: expected \d+ bytes, found 1000/);
    rmSync(join(folder, 'shard-00002.bin'));
    await expect(open(folder)).rejects.toThrow(/found no file/);
    expect((await verifyShards(folder)).problems.length).toBeGreaterThan(1);
  });

  it('fails with file and study where a shard is cut off while it is read', async () => {
    const folder = copy();
    const dataset = await open(folder);
    truncateSync(join(folder, 'shard-00000.bin'), 0);
    await expect(dataset.loadImage(dataset.studies[0]!.id)).rejects.toThrow(/shard-00000\.bin, study ".+cut off/);
  });
});
