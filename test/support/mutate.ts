import type { Random } from '../../src/data/random.ts';

/** Sizes and counts that headers lie about. */
const LIES = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];

/**
 * Damages a file as transfers, disks and hostile hands do: flips bytes, cuts off, removes, repeats or inserts a stretch of
 * itself or of another file, and overwrites numbers (most often near the start, where headers are).
 */
export function mutate(file: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(file);
  const times = 1 + random.int(0, 4);
  for (let i = 0; i < times; i++) bytes = once(bytes, other, random);
  return bytes;
}

function once(bytes: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  if (bytes.length < 16) return bytes;
  const anywhere = random.int(0, bytes.length);
  const near = Math.min(bytes.length - 1, random.int(0, 2) === 0 ? random.int(0, 1024) : anywhere);
  const length = 1 + random.int(0, Math.min(4096, bytes.length));
  const copy = Uint8Array.from(bytes);
  switch (random.int(0, 7)) {
    case 0:
      copy[near] = (copy[near]! ^ (1 << random.int(0, 8))) & 255;
      return copy;
    case 1:
      copy[near] = random.int(0, 256);
      return copy;
    case 2:
      return copy.subarray(0, anywhere);
    case 3:
      return concatenate(copy.subarray(0, near), copy.subarray(Math.min(copy.length, near + length)));
    case 4: {
      const from = random.int(0, other.length);
      return concatenate(copy.subarray(0, near), other.subarray(from, from + length), copy.subarray(near));
    }
    case 5: {
      const value = LIES[random.int(0, LIES.length)]!;
      const size = [1, 2, 4][random.int(0, 3)]!;
      for (let k = 0; k < size && near + k < copy.length; k++) {
        copy[near + k] = Math.floor(value / 256 ** (random.int(0, 2) === 0 ? k : size - 1 - k)) & 255;
      }
      return copy;
    }
    default: {
      const from = random.int(0, other.length);
      copy.set(other.subarray(from, from + Math.min(length, copy.length - near)), near);
      return copy;
    }
  }
}

function concatenate(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
