import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TensorFileError } from '../../src/io/errors.ts';
import { readTensors } from '../../src/io/openTensors.ts';
import { writeSafetensors } from '../../src/io/safetensors.ts';
import { materials } from '../support/materials.ts';
import {
  Call,
  concat,
  floats,
  Global,
  legacyFile,
  type Pickled,
  pickle,
  Tuple,
  tensorOf,
  torchZip,
} from '../support/torchFiles.ts';

/** Mutants per file. `GROUNDRAY_FUZZ=50 npx vitest run test/io/weightFuzz.test.ts` tries fifty times as many. */
const rounds = Math.ceil(150 * Number(process.env.GROUNDRAY_FUZZ ?? 1));

type Random = () => number;

function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Bytes that mean something to one of the formats: lengths, opcodes, signs. */
const telling = [
  0, 1, 0x28, 0x2e, 0x50, 0x51, 0x52, 0x62, 0x68, 0x71, 0x74, 0x7b, 0x7d, 0x7f, 0x80, 0x8a, 0x8d, 0x96, 0xff,
];

function mutate(original: Uint8Array, random: Random): Uint8Array {
  const at = (): number => Math.floor(random() * original.length);
  const bytes = Uint8Array.from(original);
  const kind = random();
  if (kind < 0.15) return bytes.slice(0, at());
  if (kind < 0.25) {
    const [a, b] = [at(), at()].sort((x, y) => x - y);
    return concat(bytes.subarray(0, a), bytes.subarray(b));
  }
  if (kind < 0.35) {
    const [a, b] = [at(), at()].sort((x, y) => x - y);
    const part = bytes.subarray(a, Math.min(b!, a! + 4096));
    return concat(bytes.subarray(0, b), part, bytes.subarray(b));
  }
  if (kind < 0.5) {
    const start = at();
    bytes.fill(telling[Math.floor(random() * telling.length)]!, start, start + 1 + Math.floor(random() * 8));
    return bytes;
  }
  const changes = 1 + Math.floor(random() ** 3 * 20);
  // Headers and directories lie at the ends, and what is in the middle of large files is mostly numbers.
  const span = random() < 0.7 ? Math.min(original.length, 2000) : original.length;
  const base = random() < 0.5 ? 0 : original.length - span;
  for (let i = 0; i < changes; i++) {
    const value = random() < 0.5 ? telling[Math.floor(random() * telling.length)]! : Math.floor(random() * 256);
    bytes[base + Math.floor(random() * span)] = value;
  }
  return bytes;
}

function generated(): [string, Uint8Array][] {
  const storage = floats(...Array.from({ length: 24 }, (_, i) => i));
  const long = { type: 'LongStorage', elements: 3, bytes: new Uint8Array(24) };
  const storages = new Map([
    ['0', storage],
    ['1', long],
  ]);
  const root = new Map<string, Pickled>([
    ['epoch', 3],
    ['big', 2 ** 40],
    ['lr', 0.001],
    [
      'state_dict',
      new Map([
        ['module.weight', tensorOf('0', storage, [4, 3], { strides: [1, 4] })],
        ['module.steps', tensorOf('1', long, [3])],
      ]),
    ],
    [
      'hyper_parameters',
      new Call(
        new Global('omegaconf', 'DictConfig'),
        new Tuple(),
        new Map<string, Pickled>([['a', [1, 2, new Uint8Array(5)]]]),
      ),
    ],
  ]);
  const tensors = new Map([
    ['a.weight', { shape: [3, 2], data: new Float32Array(6) }],
    ['b', { shape: [2], data: new Int32Array(2) }],
  ]);
  return [
    ['zip', torchZip(root, storages)],
    ['zip64, protocol 4', torchZip(root, storages, { protocol: 4, wide: true })],
    ['legacy', legacyFile(root, storages)],
    ['safetensors', writeSafetensors(tensors, { format: 'pt' })],
    ['pickle', pickle(root, 4)],
  ];
}

function published(): [string, Uint8Array][] {
  const folder = join(materials, 'data/weights');
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => /\.(pt|pth|th|bin|safetensors)$/.test(path) && statSync(path).size < 1_200_000)
    .map((path) => [path.slice(folder.length + 1), new Uint8Array(readFileSync(path))]);
}

/** Opens and reads everything. @returns whether that went well; anything but success and a clear refusal is thrown. */
function survives(bytes: Uint8Array): boolean {
  try {
    const file = readTensors(bytes, 'fuzzed');
    for (const name of file.names()) file.bytes(name);
    return true;
  } catch (error) {
    if (error instanceof TensorFileError && error.message.startsWith('fuzzed')) return false;
    throw error;
  }
}

describe('damaged weight files', () => {
  it.each([...generated(), ...published()])('end in a sentence or are read: %s', (name, original) => {
    const random = randomOf(name.length);
    const begin = performance.now();
    let refused = 0;
    for (let round = 0; round < rounds; round++) {
      const mutant = mutate(original, random);
      const start = performance.now();
      try {
        if (!survives(mutant)) refused += 1;
      } catch (error) {
        expect.fail(`round ${round} of ${name}: ${error instanceof Error ? error.stack : error}`);
      }
      expect(performance.now() - start, `round ${round} of ${name} took too long`).toBeLessThan(5000);
    }
    if (!name.includes('broken')) expect(refused).toBeGreaterThan(rounds / 10);
    expect((performance.now() - begin) / rounds, 'mean time of a file in ms').toBeLessThan(100);
    expect(process.memoryUsage().rss, 'memory').toBeLessThan(2 ** 31);
  });
});
