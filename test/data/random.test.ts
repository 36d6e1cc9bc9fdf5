import { describe, expect, it } from 'vitest';
import { createRandom, hash32 } from '../../src/data/random.ts';

describe('createRandom', () => {
  it('repeats the same numbers for the same seed and others for another seed', () => {
    const draw = (seed: number | string) => {
      const random = createRandom(seed);
      return Array.from({ length: 8 }, () => random.uint32());
    };
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw('7')).not.toEqual(draw(7));
  });

  it('forks independently of how many numbers were drawn before', () => {
    const fresh = createRandom(3);
    const used = createRandom(3);
    for (let i = 0; i < 100; i++) used.uint32();
    expect(used.fork('a').uint32()).toBe(fresh.fork('a').uint32());
    expect(fresh.fork('a').uint32()).not.toBe(fresh.fork('b').uint32());
    expect(fresh.fork(1).uint32()).not.toBe(fresh.fork('1').uint32());
  });

  it('draws uniform and normal numbers with the right moments', () => {
    const random = createRandom(11);
    const n = 40_000;
    let sum = 0;
    let squares = 0;
    let normalSum = 0;
    let normalSquares = 0;
    let outside = 0;
    for (let i = 0; i < n; i++) {
      const u = random.uniform();
      outside += u >= 0 && u < 1 ? 0 : 1;
      sum += u;
      squares += u * u;
      const z = random.normal();
      normalSum += z;
      normalSquares += z * z;
    }
    expect(outside).toBe(0);
    // Five standard errors of each estimate.
    expect(Math.abs(sum / n - 1 / 2)).toBeLessThan(5 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(squares / n - 1 / 3)).toBeLessThan(5 * Math.sqrt(4 / 45 / n));
    expect(Math.abs(normalSum / n)).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(normalSquares / n - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
  });

  it('has no correlation between neighbouring draws or neighbouring streams', () => {
    const n = 20_000;
    const root = createRandom(5);
    const along = createRandom(5);
    let previous = along.uniform();
    let serial = 0;
    let across = 0;
    let neighbour = root.fork(0).uniform();
    for (let i = 1; i <= n; i++) {
      const next = along.uniform();
      serial += (previous - 0.5) * (next - 0.5);
      previous = next;
      const other = root.fork(i).uniform();
      across += (neighbour - 0.5) * (other - 0.5);
      neighbour = other;
    }
    const bound = (5 / 12) * Math.sqrt(n);
    expect(Math.abs(serial)).toBeLessThan(bound);
    expect(Math.abs(across)).toBeLessThan(bound);
  });

  it('picks integers over the whole range, weights in proportion, and shuffles into permutations', () => {
    const random = createRandom(2);
    const seen = new Set(Array.from({ length: 400 }, () => random.int(-2, 3)));
    expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
    const counts = [0, 0, 0];
    for (let i = 0; i < 9000; i++) counts[random.weighted([1, 0, 2])]!++;
    expect(counts[1]).toBe(0);
    expect(Math.abs(counts[0]! - 3000)).toBeLessThan(5 * Math.sqrt(2000));
    const items = Array.from({ length: 50 }, (_, i) => i);
    const shuffled = random.shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect(shuffled.toSorted((a, b) => a - b)).toEqual(items);
  });

  it('refuses an empty list', () => {
    expect(() => createRandom(1).pick([])).toThrow(/empty/);
    expect(() => createRandom(1).weighted([0, 0])).toThrow(/positive sum/);
  });
});

describe('hash32', () => {
  it('has no collision among neighbouring integers and flips about half of the bits', () => {
    const seen = new Set<number>();
    let flipped = 0;
    for (let i = 0; i < 4096; i++) {
      seen.add(hash32(i));
      let difference = hash32(i) ^ hash32(i ^ 1);
      for (; difference !== 0; difference &= difference - 1) flipped++;
    }
    expect(seen.size).toBe(4096);
    expect(flipped / 4096).toBeGreaterThan(15);
    expect(flipped / 4096).toBeLessThan(17);
  });
});
