import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateRun } from '../../src/cli/evaluateRun.ts';
import { loadTrainedModel } from '../../src/cli/trainedModel.ts';
import { convert } from '../../src/cli/weightsConvert.ts';
import { exportWeights } from '../../src/cli/weightsExport.ts';
import { load } from '../../src/cli/weightsLoad.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { RESEARCH_NOTICE } from '../../src/eval/notice.ts';
import { createGpu } from '../../src/gpu/create.node.ts';
import { openTensorFile } from '../../src/io/openTensors.node.ts';
import { openRunFolder, vocabularyOf } from '../../src/train/runFolder.node.ts';
import { checkStartWeights } from '../../src/train/weights.node.ts';
import { tinyConfig } from '../support/tinyRun.ts';
import { floats, legacyFile, tensorOf, torchZip } from '../support/torchFiles.ts';
import { runCommand } from './support/commandLine.ts';
import { trainedRun } from './support/tinyRun.ts';

const folder = mkdtempSync(join(tmpdir(), 'groundray-weights-'));
const run = join(folder, 'run');
const exported = join(folder, 'exported', 'model.safetensors');

beforeAll(async () => {
  const gpu = await createGpu();
  await trainedRun(gpu, run);
  gpu.dispose();
  await quietly(() => exportWeights({ run, out: exported }));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs something and returns what it printed, on stdout and stderr, and the exit code that it set. */
async function quietly(action: () => void | Promise<void>): Promise<{ printed: string; code: number }> {
  const parts: string[] = [];
  const streams = [process.stdout, process.stderr] as const;
  const writes = streams.map(({ write }) => write);
  for (const stream of streams) stream.write = ((text: string) => parts.push(String(text)) > 0) as typeof stream.write;
  try {
    await action();
  } finally {
    for (const [i, stream] of streams.entries()) stream.write = writes[i]!;
  }
  const code = Number(process.exitCode ?? 0);
  process.exitCode = 0;
  return { printed: parts.join(''), code };
}

/** A legacy checkpoint with these tensors under `state_dict`. */
function checkpoint(name: string, tensors: Record<string, number[]>): string {
  const path = join(folder, name);
  const storages = new Map(Object.values(tensors).map((values, i) => [`${i}`, floats(...values)] as const));
  const entries = Object.keys(tensors).map((own, i) => {
    const storage = storages.get(`${i}`)!;
    return [own, tensorOf(`${i}`, storage, [storage.elements])] as const;
  });
  writeFileSync(path, legacyFile(new Map([['state_dict', new Map(entries)]]), storages));
  return path;
}

describe('groundray weights inspect', () => {
  it('lists the tensors of a file, or refuses it with one sentence and exit code 1', async () => {
    const path = checkpoint('inspected.ckpt', { 'net.weight': [1, 2, 3] });
    const json = await runCommand('weights', 'inspect', path, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({
      format: 'torch.save (legacy)',
      totalBytes: 12,
      tensors: [{ name: 'state_dict.net.weight', dtype: 'F32', shape: [3], bytes: 12 }],
    });
    const broken = join(folder, 'broken.pt');
    writeFileSync(broken, 'abc');
    const { code, stderr } = await runCommand('weights', 'inspect', broken);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /broken\.pt is in no known format \(3 bytes\); expected safetensors or what torch\.save writes/,
    );
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('groundray weights convert', () => {
  it('writes safetensors with new names and types, whole numbers as they are', async () => {
    const from = join(folder, 'mixed.pt');
    const steps = { type: 'LongStorage', elements: 1, bytes: new Uint8Array(BigInt64Array.of(7n).buffer) };
    const storages = new Map([
      ['0', floats(1, -2.5)],
      ['1', steps],
    ]);
    const root = new Map([
      ['model.module.weight', tensorOf('0', floats(1, -2.5), [2])],
      ['model.module.steps', tensorOf('1', steps, [])],
      ['other.weight', tensorOf('0', floats(1, -2.5), [2])],
    ]);
    writeFileSync(from, torchZip(root, storages));
    const to = join(folder, 'mixed.safetensors');
    const flags = { strip: ['model.', 'module.'], prefix: 'net.', only: 'model.', dtype: 'f16' } as const;
    const { printed } = await quietly(() => convert(from, to, flags));
    expect(printed).toMatch(/Wrote 2 of 3 tensors, 12 B/);
    using file = openTensorFile(to);
    expect(file.names().sort()).toEqual(['net.steps', 'net.weight']);
    expect(file.info('net.weight').dtype).toBe('F16');
    expect([...file.tensor('net.weight').data]).toEqual([1, -2.5]);
    expect([...file.integers('net.steps').data]).toEqual([7]);
  });

  it('changes nothing where the result would be wrong', async () => {
    const large = checkpoint('large.pth', { weight: [1, 1e6] });
    const twins = checkpoint('twins.pth', { 'a.weight': [1], 'b.weight': [2] });
    const to = join(folder, 'kept.safetensors');
    writeFileSync(to, 'what was there');
    const beginnings = ['state_dict.a.', 'state_dict.b.'];
    await expect(convert(large, to, { dtype: 'f16' })).rejects.toThrow(/weight holds 1000000, which float16 cannot/);
    await expect(convert(twins, to, { strip: beginnings })).rejects.toThrow(/two tensors would be called weight/);
    await expect(convert(twins, to, { only: 'x' })).rejects.toThrow(/Nothing of .*twins\.pth is left to write/);
    await expect(convert(twins, twins, {})).rejects.toThrow(/is the file that is converted/);
    await expect(convert(join(folder, 'none.pt'), to, {})).rejects.toThrow(/there is no such file/);
    expect(readFileSync(to, 'utf8')).toBe('what was there');
  });
});

describe('groundray weights load', () => {
  it('finds that the weights of a run fill the model of the run, and its towers', async () => {
    const { printed, code } = await quietly(() => load(exported, { into: run }));
    expect(code).toBe(0);
    expect(printed).toMatch(/into the whole model\. Tried out/);
    const tower = join(folder, 'tower.safetensors');
    await quietly(() => convert(exported, tower, { only: 'visual.', strip: ['visual.'], prefix: 'module.' }));
    expect((await quietly(() => load(tower, { into: run }))).printed).toMatch(/into the image tower/);
  });

  it('ends with exit code 1 and the names where tensors are missing, unless that is allowed', async () => {
    const part = join(folder, 'part.safetensors');
    await quietly(() => convert(exported, part, { only: 'bert.encoder.' }));
    const { printed, code } = await quietly(() => load(part, { into: run }));
    expect(code).toBe(1);
    expect(printed).toMatch(/Missing in the file: 5\n {2}bert\.embeddings\.word_embeddings\.weight/);
    const allowed = await quietly(() => load(part, { into: run, allowMissing: true, json: true }));
    expect(allowed.code).toBe(0);
    expect(JSON.parse(allowed.printed)).toMatchObject({ into: 'the text tower', complete: false, unexpected: [] });
    expect(() => load(part, { into: 'resnet51' })).toThrow(/--into resnet51: expected resnet50, bert-base, a preset/);
  });

  it('reports a vocabulary of another size as a mismatch, not as a fit', async () => {
    const path = join(folder, 'uncased.safetensors');
    const embedding = { shape: [30_522, 768], dtype: 'F16' as const, bytes: () => new Uint8Array(30_522 * 768 * 2) };
    const { writeFileAtomic } = await import('../../src/io/atomic.node.ts');
    const { safetensorsChunks } = await import('../../src/io/safetensors.ts');
    await writeFileAtomic(path, safetensorsChunks(new Map([['bert.embeddings.word_embeddings.weight', embedding]])));
    const { printed, code } = await quietly(() => load(path, { into: 'bert-base', allowMissing: true }));
    expect(code).toBe(0);
    expect(printed).toMatch(
      /word_embeddings\.weight: \[30522, 768\], embeddings\.word_embeddings\.weight expects \[28996, 768\]/,
    );
  });
});

describe('training from published weights', () => {
  const withWeights = (weights: object) => ({ ...openRunFolder(run).config, weights });

  it('stops before it begins where a tensor is missing, unless that is allowed', async () => {
    const part = join(folder, 'start.safetensors');
    await quietly(() => convert(exported, part, { only: 'bert.encoder.' }));
    await expect(checkStartWeights(withWeights({ text: part }))).rejects.toThrow(
      /start\.safetensors does not fill the bert tower: .*5 missing \(bert\.embeddings\.word_embeddings\.weight.*say --allow-missing-weights/,
    );
    await expect(checkStartWeights(withWeights({ text: part, allowMissing: true }))).resolves.toBeUndefined();
    await expect(checkStartWeights(withWeights({ visual: part }))).rejects.toThrow(
      /has no tensor that fits the visual tower/,
    );
    await expect(checkStartWeights(withWeights({ text: exported, visual: exported }))).resolves.toBeUndefined();
  });

  it('takes fetched weights by name, and says how to get those that are not there', async () => {
    const cache = join(folder, 'cache');
    process.env.GROUNDRAY_WEIGHTS = cache;
    try {
      const [path, words] = ['pytorch_model.bin', 'vocab.txt'].map((file) => join(cache, 'bert-tiny', file));
      await expect(checkStartWeights(withWeights({ text: 'bert-tiny' }))).rejects.toThrow(
        `bert-tiny was not fetched yet: run \`npm run weights -- fetch bert-tiny\`, or put https://huggingface.co/prajjwal1/bert-tiny/resolve/main/pytorch_model.bin at ${path}.`,
      );
      mkdirSync(join(cache, 'bert-tiny'), { recursive: true });
      writeFileSync(path!, readFileSync(exported));
      // The name says nothing about the format.
      await expect(checkStartWeights(withWeights({ text: 'bert-tiny' }))).resolves.toBeUndefined();
      writeFileSync(words!, '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nlung\n');
      expect(vocabularyOf(tinyConfig({ vocabulary: 'bert-tiny' }), [])).toHaveLength(6);
      await expect(checkStartWeights(withWeights({ visual: 'bert-tiny' }))).rejects.toThrow(
        /bert-tiny have no resnet file/,
      );
    } finally {
      delete process.env.GROUNDRAY_WEIGHTS;
    }
  });
});

describe('groundray weights export', () => {
  it('writes the checkpoint under PyTorch names, the same numbers as the model at the end of the run', () => {
    using file = openTensorFile(exported);
    using model = openTensorFile(join(run, 'model.safetensors'));
    expect(file.names().sort()).toEqual(model.names().sort());
    expect(file.names()).toContain('bert.encoder.layer.0.attention.self.query.weight');
    for (const name of file.names()) expect(file.tensor(name)).toEqual(model.tensor(name));
    expect(file.metadata).toMatchObject({ format: 'pt', notice: RESEARCH_NOTICE, step: '3' });
  });

  it('writes a model card with counts, the notice and, after an evaluation, metrics', async () => {
    const card = join(folder, 'exported', 'model.md');
    const before = readFileSync(card, 'utf8');
    expect(before).toContain(RESEARCH_NOTICE);
    expect(before).toMatch(/\| train \| \d+ \| \d+ \|/);
    expect(before).toContain('Not evaluated yet');
    const gpu = await createGpu();
    const description = openRunFolder(run);
    const { model, arena } = loadTrainedModel(gpu, description);
    const dataset = await openDataset(description.config.data);
    await evaluateRun(gpu, description, dataset, model, { images: 2, untrained: false, print: () => undefined });
    arena.dispose();
    gpu.dispose();
    await quietly(() => exportWeights({ run, out: exported }));
    expect(readFileSync(card, 'utf8')).toMatch(
      /Protocol `paper-minmax`:\n\n\| method \| IoU \| Dice \| CNR \| pointing \|/,
    );
  });

  it('says what is wrong with its arguments', async () => {
    await expect(exportWeights({ run, out: join(folder, 'x.bin') })).rejects.toThrow(
      /expected a name that ends with \.safetensors/,
    );
    await expect(exportWeights({ run: join(folder, 'none'), out: exported })).rejects.toThrow(
      /there is no such folder/,
    );
    expect(existsSync(join(folder, 'x.bin'))).toBe(false);
  });
});
