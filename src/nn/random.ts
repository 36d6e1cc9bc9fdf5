/**
 * Counter-based random numbers from unsigned 32-bit arithmetic: word `i` of a stream is a function of (name, seed, i).
 * Parameters are drawn from the stream of their own name, so their values do not depend on the order of construction.
 */

/** Murmur3's 32-bit finaliser. */
function fmix32(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

/** CRC-32 (polynomial 0xEDB88320, as in zip) of the UTF-8 bytes of a text. */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** The words of one stream, by index. */
export function hashStream(name: string, seed: number): (index: number) => number {
  const k0 = (crc32(name) ^ Math.imul(seed, 0x9e3779b9)) >>> 0;
  const k1 = fmix32((k0 ^ 0x9e3779b9) >>> 0);
  return (index) => fmix32((fmix32((index + k0) >>> 0) + k1) >>> 0);
}

/** Uniform number in [-1, 1) from a word; exact in float32. */
export function uniformFromWord(word: number): number {
  return (word >>> 8) * 2 ** -23 - 1;
}

/** Draws the initial values of one parameter. */
export interface ParameterRandom {
  /** `count` uniform numbers in [-bound, bound). */
  uniform(count: number, bound: number): Float32Array;
  /** `count` normal numbers with mean 0. */
  normal(count: number, deviation: number): Float32Array;
}

/** The random numbers of the parameter called `name`. */
export function parameterRandom(name: string, seed: number): ParameterRandom {
  const word = hashStream(name, seed);
  return {
    uniform(count, bound) {
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) values[i] = bound * uniformFromWord(word(i));
      return values;
    },
    normal(count, deviation) {
      const values = new Float32Array(count);
      // Box and Muller: two words give two numbers; the radius takes (0, 1] so that its logarithm is finite.
      for (let i = 0; i < count; i += 2) {
        const radius = deviation * Math.sqrt(-2 * Math.log((word(i) + 1) * 2 ** -32));
        const angle = 2 * Math.PI * (word(i + 1) * 2 ** -32);
        values[i] = radius * Math.cos(angle);
        if (i + 1 < count) values[i + 1] = radius * Math.sin(angle);
      }
      return values;
    },
  };
}
