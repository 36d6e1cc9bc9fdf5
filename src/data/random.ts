/**
 * Seeded random numbers from unsigned 32-bit integer arithmetic and exactly rounded float operations only, so that a
 * seed gives the same numbers in every JavaScript engine.
 *
 * Counter based: draw `n` of a stream is a hash of (key, n). A stream therefore has no hidden history, and `fork`
 * depends on the seed and the name alone, not on how many numbers were drawn before.
 */
export interface Random {
  /** Integer in [0, 2^32). */
  uint32(): number;
  /** Real number in [low, high), 32 random bits. Defaults to [0, 1). */
  uniform(low?: number, high?: number): number;
  /** Normal distribution as the sum of twelve uniforms (Irwin-Hall): no logarithm, tails end at 6 deviations. */
  normal(mean?: number, deviation?: number): number;
  /** Integer in [low, high), `high` excluded. */
  int(low: number, high: number): number;
  /** True with the given probability. */
  chance(probability: number): boolean;
  /** One of the items; throws RangeError on an empty list. */
  pick<T>(items: readonly T[]): T;
  /** Index drawn in proportion to the weights; throws RangeError when they don't sum to more than 0. */
  weighted(weights: readonly number[]): number;
  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** An independent stream, a pure function of this stream's seed and `name`. */
  fork(name: string | number): Random;
}

/** Bijective 32-bit mixer (xor-shift-multiply with the constants found by C. Wellons' hash-prospector search). */
export function hash32(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
  h = Math.imul(h ^ (h >>> 15), 0xd35a2d97);
  return (h ^ (h >>> 15)) >>> 0;
}

/** FNV-1a over the UTF-16 code units, finished with `hash32`. */
export function hashString(text: string, seed = 0x811c9dc5): number {
  let h = seed >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return hash32(h);
}

/** A random stream. Numbers are reduced modulo 2^32; a string is hashed. */
export function createRandom(seed: number | string): Random {
  return stream(hashString(typeof seed === 'string' ? `s:${seed}` : `n:${seed >>> 0}`), hash32(0x9e3779b9));
}

function stream(key: number, salt: number): Random {
  let counter = 0;
  const uint32 = (): number => {
    counter = (counter + 1) >>> 0;
    return hash32((hash32(counter ^ key) + salt) >>> 0);
  };
  const uniform = (low = 0, high = 1): number => low + (high - low) * (uint32() / 0x1_0000_0000);
  const int = (low: number, high: number): number => low + Math.floor(uniform() * (high - low));
  return {
    uint32,
    uniform,
    int,
    normal(mean = 0, deviation = 1) {
      let sum = 0;
      for (let i = 0; i < 6; i++) {
        const bits = uint32();
        sum += (bits & 0xffff) + (bits >>> 16);
      }
      // Each half is uniform on 0..65535: mean 32767.5, variance (65536^2 - 1) / 12, so twelve have variance 65536^2.
      return mean + deviation * ((sum - 12 * 32767.5) / 65536);
    },
    chance: (probability) => uniform() < probability,
    pick(items) {
      if (items.length === 0) throw new RangeError('random.pick needs at least one item, the list is empty.');
      return items[int(0, items.length)] as (typeof items)[number];
    },
    weighted(weights) {
      const total = weights.reduce((a, b) => a + b, 0);
      if (!(total > 0)) throw new RangeError(`random.weighted needs weights with a positive sum, the sum is ${total}.`);
      let rest = uniform() * total;
      for (let i = 0; i < weights.length; i++) {
        rest -= weights[i] ?? 0;
        if (rest < 0) return i;
      }
      return weights.length - 1;
    },
    shuffle<T>(items: readonly T[]): T[] {
      const result = items.slice();
      for (let i = result.length - 1; i > 0; i--) {
        const j = int(0, i + 1);
        [result[i], result[j]] = [result[j] as T, result[i] as T];
      }
      return result;
    },
    fork: (name) => stream(hashString(`${typeof name}:${name}`, key), hash32((salt + key) >>> 0)),
  };
}
