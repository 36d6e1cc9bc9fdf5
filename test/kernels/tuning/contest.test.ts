import { describe, expect, it } from 'vitest';
import { compete, isFaster, matches } from '../../../src/kernels/tuning/contest.ts';

interface Runner {
  readonly name: string;
  readonly milliseconds: number;
  readonly values?: readonly number[];
  readonly fails?: boolean;
}

const right = [1, -2, 3, 0.5];

/** A contest of runners whose times vary by `noise`, the machine being slower and faster by turns. */
function contest(all: readonly Runner[], noise = 0, signal?: AbortSignal) {
  let turn = 0;
  return compete<Runner>({
    all,
    result: async ({ values = right, fails }) => {
      if (fails) throw new Error('The device refused it.');
      return values;
    },
    time: async ({ milliseconds }, count) => {
      turn += 1;
      // Not periodic, so that no runner always meets the same phase.
      return count * milliseconds * (1 + noise * Math.sin(turn * turn));
    },
    tolerance: 1e-4,
    leastTime: 1,
    signal,
  });
}

describe('compete', () => {
  it('finds the fastest', async () => {
    const { best, gain, firstTime, bestTime } = await contest([
      { name: 'usual', milliseconds: 6 },
      { name: 'slow', milliseconds: 40 },
      { name: 'fast', milliseconds: 3 },
      { name: 'faster', milliseconds: 2 },
    ]);
    expect(best.name).toBe('faster');
    expect([gain, firstTime, bestTime]).toEqual([3, 6, 2]);
  });

  it('never lets one win whose result is wrong, not finite or missing, however fast', async () => {
    const { best, refused } = await contest([
      { name: 'usual', milliseconds: 6 },
      { name: 'wrong', milliseconds: 1, values: [1, -2, 3, 0.501] },
      { name: 'NaN', milliseconds: 1, values: [1, Number.NaN, 3, 0.5] },
      { name: 'short', milliseconds: 1, values: [1, -2, 3] },
      { name: 'failing', milliseconds: 1, fails: true },
      { name: 'rounded', milliseconds: 5, values: [1.00001, -2, 3, 0.5] },
    ]);
    expect(best.name).toBe('rounded');
    expect(refused.map(({ name }) => name)).toEqual(['wrong', 'NaN', 'short', 'failing']);
  });

  it('keeps the usual one where another is faster by less than the noise', async () => {
    const runners = [
      { name: 'usual', milliseconds: 6 },
      { name: 'hardly faster', milliseconds: 5.7 },
    ];
    expect((await contest(runners, 0.4)).best.name).toBe('usual');
    expect((await contest(runners, 0)).best.name).toBe('hardly faster');
    expect((await contest([runners[0]!, { name: 'twice as fast', milliseconds: 3 }], 0.2)).best.name).toBe(
      'twice as fast',
    );
  });

  it('hardly ever takes one that is no faster, however noisy the machine', async () => {
    let state = 1;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const all = Array.from({ length: 12 }, (_, i) => ({ name: `${i}` }));
    let taken = 0;
    for (let trial = 0; trial < 200; trial++) {
      const { best } = await compete({
        all,
        result: async () => right,
        time: async (_, count) => count * (1 + 3 * random() ** 4),
        tolerance: 1e-4,
        leastTime: 1,
      });
      if (best !== all[0]) taken += 1;
    }
    expect(taken).toBeLessThan(10);
  });

  it('keeps the usual one where nothing else runs', async () => {
    const { best, gain } = await contest([{ name: 'usual', milliseconds: 6 }]);
    expect([best.name, gain]).toEqual(['usual', 1]);
  });

  it('ends at once when it is interrupted', async () => {
    const runners = [
      { name: 'usual', milliseconds: 6 },
      { name: 'fast', milliseconds: 3 },
    ];
    await expect(contest(runners, 0, AbortSignal.abort(new Error('Ctrl-C')))).rejects.toThrow('Ctrl-C');
  });
});

describe('isFaster', () => {
  it('wants three rounds of four and three per cent', () => {
    expect(isFaster([10, 10, 10, 10], [5, 5, 5, 5])).toBe(true);
    expect(isFaster([10, 10, 10, 10], [9.8, 9.8, 9.8, 9.8])).toBe(false);
    expect(isFaster([10, 10, 10, 10], [5, 5, 11, 12])).toBe(false);
    expect(isFaster([], [])).toBe(false);
  });
});

describe('matches', () => {
  it('measures errors by the magnitude of the whole reference, whose single elements may be near zero', () => {
    expect(matches([100, 1e-6], [100, 1e-3], 1e-4)).toBe(true);
    expect(matches([100, 1e-6], [100, 0.1], 1e-4)).toBe(false);
    expect(matches([Number.NaN], [Number.NaN], 1e-4)).toBe(false);
  });
});
