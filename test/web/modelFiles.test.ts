import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { GpuError } from '../../src/gpu/errors.ts';
import { bytesSource } from '../../src/io/byteSource.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts';
import { openingError, unzipModel } from '../../web/src/worker/givenFiles.ts';
import { type ModelFile, readModel } from '../../web/src/worker/modelFiles.ts';
import { smallBert, smallResNet, weightBytes, words } from '../support/towerFiles.ts';

const shipped = (name: string) =>
  Uint8Array.from(readFileSync(resolve(import.meta.dirname, '../../web/public/phantom-mini', name)));
const run = Object.fromEntries(['model.safetensors', 'config.json', 'vocab.txt'].map((name) => [name, shipped(name)]));

/** The same model as runs save it, with the state of the optimizer. */
function checkpoint(): Uint8Array {
  const file = readSafetensors(run['model.safetensors']!, 'model.safetensors');
  const tensors = file.names().map((name) => [`model.${name}`, file.tensor(name)] as const);
  const moment = ['optimizer.exp_avg.visual.conv1.weight', { shape: [1], data: Float32Array.of(0) }] as const;
  return writeSafetensors(new Map([...tensors, moment]), { progress: '{"step":3,"bestValidation":null}' });
}

const vocabulary = strToU8(`${words.join('\n')}\n`);
const json = (value: object) => strToU8(JSON.stringify(value));

function given(files: Readonly<Record<string, Uint8Array>>): ModelFile[] {
  return Object.entries(files).map(([path, bytes]) => ({
    path,
    open: () => bytesSource(path, bytes),
    text: async () => new TextDecoder().decode(bytes),
  }));
}

/** The same files below a folder. */
const within = (folder: string, files: Readonly<Record<string, Uint8Array>>) =>
  Object.fromEntries(Object.entries(files).map(([name, bytes]) => [join(folder, name), bytes]));

describe('a run folder that was given to the page', () => {
  it('is a trained model, at any depth and under the names that browsers give to copies', async () => {
    const model = await readModel(given(run));
    expect(model).toMatchObject({ name: 'model.safetensors', config: { preset: 'phantom-mini' } });
    expect(model.untrained).toBeUndefined();
    expect(model.calibration?.phrases).toBeGreaterThan(0);
    expect((await readModel(given(within('runs/a', run)))).name).toBe('runs/a/model.safetensors');
    const copies = { 'a (1).safetensors': run['model.safetensors']!, 'config (1).json': run['config.json']! };
    const numbered = await readModel(given({ ...copies, 'my-vocab (2).txt': run['vocab.txt']! }));
    expect(numbered.tokenizer.vocabularySize).toBe(model.tokenizer.vocabularySize);
  });

  it('has its model preferred to its checkpoint, and files beside the weights to others', async () => {
    const other = { 'b/config.json': json({ preset: 'none' }), 'b/vocab.txt': vocabulary };
    const files = { ...other, 'a/checkpoint.safetensors': checkpoint(), ...within('a', run) };
    expect((await readModel(given(files))).name).toBe('a/model.safetensors');
    const { 'model.safetensors': _, ...rest } = run;
    const saved = await readModel(given({ ...rest, 'checkpoint.safetensors': checkpoint() }));
    expect(saved.name).toBe('checkpoint.safetensors');
    expect(saved.untrained).toBeUndefined();
  });

  it('is refused where a file is missing, foreign or there twice', async () => {
    const { 'vocab.txt': _, ...two } = run;
    await expect(readModel(given(two))).rejects.toThrow(/^A checkpoint is three files .* vocab\.txt is missing;/);
    await expect(readModel(given({ ...run, 'vocab.txt': vocabulary }))).rejects.toThrow(
      /^vocab\.txt has 10 word pieces, config\.json expects \d+: they are of different runs\.$/,
    );
    await expect(readModel(given({ ...run, 'config.json': strToU8('{') }))).rejects.toThrow(
      /^config\.json is not valid/,
    );
    await expect(readModel(given({ ...within('a', run), ...within('b', run) }))).rejects.toThrow(
      'These are weights of several models: a/model.safetensors, b/model.safetensors. Open one model at a time.',
    );
    await expect(readModel(given({ ...run, 'resnet.pth': weightBytes(smallResNet()) }))).rejects.toThrow(
      /^These are weights of several models: model\.safetensors, resnet\.pth\./,
    );
    await expect(readModel(given({ 'vocab.txt': vocabulary }))).rejects.toThrow(
      /^A model is model\.safetensors, .* Found no weights in 1 files, such as vocab\.txt\.$/,
    );
  });
});

describe('published weights that were given to the page', () => {
  const bert = weightBytes(smallBert('', 32));
  const described = { num_attention_heads: 2, hidden_size: 32 };

  it('are a model that says that it is not trained, with the heads and the case that lie beside the BERT', async () => {
    const files = {
      'resnet/model.safetensors': weightBytes(smallResNet(), 'F16'),
      'resnet/config.json': json({ model_type: 'resnet' }),
      'bert/model.safetensors': bert,
      'bert/config.json': json(described),
      'bert/tokenizer_config.json': json({ do_lower_case: false, vocab_size: 'no number' }),
      'bert/tokenizer.json': strToU8('not looked at'),
      'bert/vocab.txt': vocabulary,
    };
    const model = await readModel(given(files));
    expect(model.name).toBe('resnet/model.safetensors and bert/model.safetensors');
    expect(model.untrained).toMatch(/^Image and text encoder are pretrained, .* the maps say nothing/);
    expect(model.calibration).toBeUndefined();
    expect(model.config).toMatchObject({ lowerCase: false, model: { text: { heads: 2 } } });
    expect(model.tokenizer.spec).toEqual({ vocabulary: words, lowerCase: false });
    const query = 'encoder.layer.0.attention.self.query.weight';
    expect(model.weights.tensor(`bert.${query}`).data).toEqual(smallBert('', 32).get(query)?.data);
  });

  it('are one encoder as well, and a configuration of a run beside a BERT is not taken for its description', async () => {
    const alone = await readModel(
      given({ 'resnet50.pth': weightBytes(smallResNet()), 'config.json': run['config.json']! }),
    );
    expect(alone.untrained).toMatch(/^Only the image encoder is pretrained/);
    const files = { 'bert.safetensors': weightBytes(smallBert()), 'bert-vocab.txt': vocabulary };
    const text = await readModel(given({ ...files, 'config.json': run['config.json']! }));
    expect(text).toMatchObject({ name: 'bert.safetensors', config: { model: { text: { hidden: 128, heads: 2 } } } });
  });

  it('are refused with the file that is missing or wrong', async () => {
    const files = { 'bert.safetensors': bert, 'config.json': json(described) };
    await expect(readModel(given(files))).rejects.toThrow(
      /^bert\.safetensors holds a BERT of 10 word pieces: the vocab\.txt that was published with it is needed too/,
    );
    await expect(readModel(given({ ...files, 'vocab.txt': strToU8('[PAD]\n[UNK]\n') }))).rejects.toThrow(
      /^vocab\.txt: expected a line "\[CLS\]"/,
    );
    await expect(readModel(given({ 'bert.safetensors': bert, 'vocab.txt': vocabulary }))).rejects.toThrow(
      /a hidden size of 32, .* num_attention_heads in the config\.json/,
    );
    const net = writeSafetensors(new Map([['net.weight', { shape: [1], data: Float32Array.of(1) }]]));
    await expect(readModel(given({ 'net.safetensors': net }))).rejects.toThrow(
      /^net\.safetensors holds no encoder .* found 1 tensors, starting with net\.weight\.$/,
    );
    await expect(readModel(given({ 'cut.safetensors': bert.slice(0, 100) }))).rejects.toThrow(/^cut\.safetensors/);
  });
});

describe('a zip that was given to the page', () => {
  it('holds the model that the page or a person put into it, whatever else is there', async () => {
    const rest = { 'runs/a/loss.svg': strToU8('<svg/>'), '__MACOSX/runs/a/._model.safetensors': strToU8('x') };
    const zip = zipSync({ ...rest, ...within('runs/a', run) });
    const files = unzipModel('a.zip', zip);
    expect(files.map(({ path }) => path).sort()).toEqual(Object.keys(within('runs/a', run)).sort());
    expect(await readModel(files)).toMatchObject({ name: 'a.zip', config: { preset: 'phantom-mini' } });
    const towers = zipSync({ 'resnet.safetensors': weightBytes(smallResNet()) });
    expect(await readModel(unzipModel('towers.zip', towers))).toMatchObject({ name: 'towers.zip' });
  });

  it('is refused if it is damaged, without a model or too large', () => {
    expect(() => unzipModel('cut.zip', zipSync(run).slice(0, 1000))).toThrow(/^cut\.zip cannot be unpacked: /);
    expect(() => unzipModel('none.zip', zipSync({ 'a.png': strToU8('x'), 'b/': new Uint8Array() }))).toThrow(
      /^none\.zip holds no model: expected files that end with \.safetensors, .* found 1 others\.$/,
    );
    const bomb = zipSync({ 'model.safetensors': strToU8('x') });
    // The directory says how large the only file is once it is unpacked.
    new DataView(bomb.buffer).setUint32(bomb.length - 22 - 46 - 'model.safetensors'.length + 24, 2 ** 31 + 1, true);
    expect(() => unzipModel('bomb.zip', bomb)).toThrow('bomb.zip holds more than 2 GiB; unpack it and drop the files.');
  });
});

describe('openingError', () => {
  it('tells a person what to do where memory or a file fails, and leaves other errors alone', () => {
    const message = (error: unknown) => (openingError(error, 436e6) as Error).message;
    expect(message(new RangeError('Array buffer allocation failed'))).toMatch(
      /^The browser has no memory for these files of 436 MB \(Array buffer allocation failed\)\. Close other pages;/,
    );
    expect(message(new DOMException('gone', 'NotReadableError'))).toMatch(/cannot be read \(NotReadableError: gone\)/);
    expect(message(new GpuError('It is full.'))).toBe(
      'The GPU could not take the model in these files of 436 MB: It is full.',
    );
    const other = new Error('other');
    expect(openingError(other, 1)).toBe(other);
  });
});
