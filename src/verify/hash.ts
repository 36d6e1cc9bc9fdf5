/**
 * The counter-based generator behind weights and images that the fixtures do not store: `hashWord(stream, i, seed)` is
 * word i of a stream, made of uint32 operations only, so that every language gets the same bits.
 */

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as in zip (polynomial 0xEDB88320) over the UTF-8 bytes of a text. */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** The finalizer of MurmurHash3. */
function fmix32(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function streamKeys(stream: string, seed: number): [number, number] {
  const key = (crc32(stream) ^ Math.imul(seed, 0x9e3779b9)) >>> 0;
  return [key, fmix32((key ^ 0x9e3779b9) >>> 0)];
}

/** Word `index` of a stream, in [0, 2^32). */
export function hashWord(stream: string, index: number, seed: number): number {
  const [k0, k1] = streamKeys(stream, seed);
  return fmix32((fmix32((index + k0) >>> 0) + k1) >>> 0);
}

/** The first `count` values of a stream, uniform in [-1, 1) and exact in float32. */
export function hashUniform(stream: string, seed: number, count: number): Float32Array<ArrayBuffer> {
  const [k0, k1] = streamKeys(stream, seed);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    values[i] = (fmix32((fmix32((i + k0) >>> 0) + k1) >>> 0) >>> 8) * 2 ** -23 - 1;
  }
  return values;
}

/** `count` positions of a tensor with `size` elements that stand for all of it. */
export function probedIndices(stream: string, count: number, size: number): number[] {
  return Array.from({ length: count }, (_, i) => hashWord(stream, i, 0) % size);
}
