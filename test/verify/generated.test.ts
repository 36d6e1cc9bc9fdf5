import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { crc32, hashStream } from '../../src/nn/random.ts';
import { hashUniform, probedIndices } from '../../src/verify/hash.ts';
import { generatedParameter } from '../../src/verify/parameters.ts';
import { checksum } from '../../src/verify/statistics.ts';

interface HashVector {
  readonly name: string;
  readonly crc32: number;
  readonly seed: number;
  readonly words: readonly number[];
  readonly uniform: readonly number[];
}

const manifest = JSON.parse(readFileSync(new URL('../fixtures/manifest.json', import.meta.url), 'utf8'));

describe('the hash generator', () => {
  const vectors: readonly HashVector[] = manifest.hash_test_vectors;
  expect(vectors.length).toBeGreaterThan(0);
  for (const { name, seed, words, uniform, ...vector } of vectors) {
    it(`gives the published words of ${name} with seed ${seed}`, () => {
      expect(crc32(name)).toBe(vector.crc32);
      const word = hashStream(name, seed);
      expect(words.map((_, i) => word(i))).toEqual(words);
      expect([...hashUniform(name, seed, uniform.length)]).toEqual(uniform);
    });
  }

  it('hashes the UTF-8 bytes of a name', () => {
    // The check value of CRC-32 in its standard.
    expect(crc32('123456789')).toBe(0xcbf43926);
    expect(crc32('é')).not.toBe(crc32('e'));
  });
});

describe('generatedParameter', () => {
  const u = (name: string): number => hashUniform(name, 5, 1)[0]!;
  const first = (name: string, shape: readonly number[]): number => generatedParameter(name, shape, 5).data[0]!;
  const { fround } = Math;

  it('scales every kind of parameter as the fixtures do', () => {
    expect(first('conv1.weight', [8, 3, 7, 7])).toBe(fround(u('conv1.weight') * fround(Math.sqrt(3 / 147))));
    expect(first('a.query.weight', [4, 6])).toBe(fround(u('a.query.weight') * fround(Math.sqrt(0.5))));
    expect(first('a.query.bias', [4])).toBe(fround(u('a.query.bias') * 0.125));
    expect(first('bn1.weight', [4])).toBe(fround(1 + fround(u('bn1.weight') * 0.25)));
    expect(first('bn3.weight', [4])).toBe(fround(0.25 + fround(u('bn3.weight') * 0.0625)));
    expect(first('layer1.0.bn3.weight', [4])).toBe(fround(0.25 + fround(u('layer1.0.bn3.weight') * 0.0625)));
    expect(first('a.LayerNorm.weight', [4])).toBe(fround(1 + fround(u('a.LayerNorm.weight') * 0.25)));
    expect(first('bn3.bias', [4])).toBe(fround(u('bn3.bias') * 0.125));
    expect(first('bn1.running_mean', [4])).toBe(fround(u('bn1.running_mean') * 0.125));
    expect(first('bn1.running_var', [4])).toBe(fround(1 + fround(u('bn1.running_var') * 0.5)));
    const table = 'bert.embeddings.position_embeddings.weight';
    expect(first(table, [9, 4])).toBe(fround(u(table) * 0.0625));
  });
});

describe('checksum', () => {
  it('has mean, root mean square, largest absolute value and 16 elements', () => {
    const sums = checksum({ shape: [2, 2], data: [3, -5, 1, 1] });
    expect(sums).toHaveLength(19);
    expect(sums.slice(0, 3)).toEqual([0, 3, 5]);
    const word = hashStream('checksum', 0);
    expect(sums[3]).toBe([3, -5, 1, 1][word(0) % 4]);
    expect(probedIndices('checksum', 16, 4)).toHaveLength(16);
  });

  it('shows a NaN', () => {
    expect(checksum({ shape: [2], data: [Number.NaN, 1] }).slice(0, 3)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });
});
