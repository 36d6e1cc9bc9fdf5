import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTensorFile } from '../../src/io/openTensors.node.ts';
import type { TensorFile } from '../../src/io/tensorFile.ts';
import { hasMaterials, materials } from '../support/materials.ts';

const folder = join(materials, 'data/weights');
const json = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8'));

/** The elements as numbers, whatever their type. */
function numbers(file: TensorFile, name: string): number[] {
  return /^B?F/.test(file.info(name).dtype) ? [...file.tensor(name).data] : [...file.integers(name).data];
}

interface Described {
  readonly tensor: readonly number[];
  readonly dtype: string;
  readonly first: readonly (string | number)[];
}

/** Every tensor that `content` describes, under its dotted path. */
function* described(content: object, path = ''): Generator<[string, Described]> {
  if ('tensor' in content && 'first' in content) yield [path, content as Described];
  else {
    for (const [key, value] of Object.entries(content)) {
      if (typeof value === 'object' && value) yield* described(value, path ? `${path}.${key}` : key);
    }
  }
}

describe.skipIf(!hasMaterials('data/weights'))('what PyTorch reads from a file', () => {
  const cases: Record<string, { zip: boolean; error?: string; content?: object }> = hasMaterials('data/weights')
    ? json('torch-cases/expected.json')
    : {};

  it.each(Object.entries(cases))(
    'is read from torch-cases/%s, or refused as there',
    (name, { zip, error, content = {} }) => {
      const path = join(folder, 'torch-cases', name);
      if (error) {
        expect(() => openTensorFile(path)).toThrow(/broken\.pt is in no known format \(3 bytes\); expected/);
        return;
      }
      using file = openTensorFile(path);
      expect(file.format).toBe(zip ? 'torch.save (zip)' : 'torch.save (legacy)');
      const tensors = [...described(content)];
      expect(file.names().sort()).toEqual(tensors.map(([own]) => own || 'tensor').sort());
      for (const [own, { tensor: shape, dtype, first }] of tensors) {
        expect(file.info(own || 'tensor')).toMatchObject({ shape, dtype });
        const got = numbers(file, own || 'tensor').slice(0, first.length);
        const special: Record<string, number> = { inf: Infinity, '-inf': -Infinity };
        const wanted = first.map((value) => special[value] ?? Number(value));
        expect(got).toEqual(dtype === 'F64' ? wanted.map(Math.fround) : wanted);
      }
    },
  );

  it('is the same in all serialisations of a published ResNet-20, and in an MNIST network', () => {
    const resnet20: Record<string, { shape: number[]; dtype: string; sum: number; first: number[] }> = json(
      'resnet20-cifar10/expected.json',
    ).tensors;
    const files = [
      ...readdirSync(join(folder, 'resnet20-cifar10'))
        .filter((name) => /\.(th|pth|safetensors)$/.test(name))
        .map((name) => [`resnet20-cifar10/${name}`, resnet20] as const),
      ...['mnist.pt', 'mnist.safetensors'].map(
        (name) => [`mnist-cnn/${name}`, json('mnist-cnn/expected.json')] as const,
      ),
    ];
    expect(files).toHaveLength(6);
    for (const [name, expected] of files) {
      using file = openTensorFile(join(folder, name));
      const prefix = name.endsWith('.th') ? 'state_dict.module.' : '';
      expect(file.names().sort()).toEqual(
        Object.keys(expected)
          .map((own) => prefix + own)
          .sort(),
      );
      for (const [own, { shape, dtype, sum, first }] of Object.entries(expected as typeof resnet20)) {
        expect(file.info(prefix + own), own).toMatchObject({ shape, dtype });
        // The safetensors file of the MNIST network is of another training of it: an independent look at the bytes agrees.
        if (name === 'mnist-cnn/mnist.safetensors') continue;
        const got = numbers(file, prefix + own);
        expect(got.slice(0, first.length)).toEqual(first);
        expect(Math.abs(got.reduce((total, value) => total + value, 0) - sum)).toBeLessThan(1e-4 * (1 + Math.abs(sum)));
      }
    }
  });

  it('is the same in all serialisations of a BERT, shared storage and gamma and beta included', () => {
    const open = (name: string): TensorFile => openTensorFile(join(folder, 'bert-tiny-synthetic', name));
    using half = open('model-f16.safetensors');
    for (const name of ['pytorch_model.bin', 'pytorch_model-legacy-gamma-beta.bin']) {
      using file = open(name);
      const modern = (own: string): string =>
        own.replace(/LayerNorm\.gamma$/, 'LayerNorm.weight').replace(/LayerNorm\.beta$/, 'LayerNorm.bias');
      const known = file.names().filter((own) => half.has(modern(own)));
      expect(known.length).toBe(half.names().length);
      for (const own of known) expect(file.bytes(own).length, own).toBe(2 * half.bytes(modern(own)).length);
      for (const own of known) {
        const [got, expected] = [file.tensor(own).data, half.tensor(modern(own)).data];
        expect(got.length === expected.length && got.every((value, i) => value === expected[i]), own).toBe(true);
      }
    }
  });
});
