import { describe, expect, it } from 'vitest';
import { compareValues, unravel } from '../../src/verify/compare.ts';

const exact = { rtol: 0, atol: 0 };

describe('compareValues', () => {
  it('adds the absolute and the relative tolerance', () => {
    expect(compareValues([10.25], [10], { rtol: 0.01, atol: 0.15 })).toMatchObject({ bad: 0, worstRatio: 1 });
    expect(compareValues([10.27], [10], { rtol: 0.01, atol: 0.15 })).toMatchObject({ bad: 1 });
    expect(compareValues([-10.25], [-10], { rtol: 0.01, atol: 0.15 }).bad).toBe(0);
  });

  it('takes no tolerance for an exact match, where -0 equals 0', () => {
    expect(compareValues([0, 3], [-0, 3], exact)).toMatchObject({ bad: 0, worstRatio: 0 });
    expect(compareValues([3], [3 + 1e-12], exact)).toMatchObject({ bad: 1, worstRatio: Infinity });
  });

  it('never lets a NaN pass, and matches infinities exactly', () => {
    const loose = { rtol: 1, atol: 1e30 };
    expect(compareValues([Number.NaN], [0], loose)).toMatchObject({ bad: 1, worstRatio: Infinity });
    expect(compareValues([Number.NaN], [Number.NaN], loose).bad).toBe(1);
    expect(compareValues([-Infinity], [-Infinity], loose).bad).toBe(0);
    expect(compareValues([Infinity], [-Infinity], loose).bad).toBe(1);
    expect(compareValues([3e38], [Infinity], loose).bad).toBe(1);
    expect(compareValues([Infinity], [3e38], loose).bad).toBe(1);
    expect(compareValues([Number.NaN], [0], { rtol: 0, atol: Infinity }).bad).toBe(1);
  });

  it('names the worst element', () => {
    expect(compareValues([1, 2.5, 3.25], [1, 2, 3], { rtol: 0, atol: [0.1, 0.25, 0.05] })).toEqual({
      elements: 3,
      bad: 2,
      worstRatio: 5,
      worst: { index: 2, got: 3.25, expected: 3, tolerance: 0.05 },
    });
  });

  it('takes a missing element for a miss', () => {
    expect(compareValues([1], [1, 2], exact).bad).toBe(1);
  });
});

describe('unravel', () => {
  it('gives the position along each axis', () => {
    expect(unravel(23, [2, 3, 4])).toEqual([1, 2, 3]);
    expect(unravel(5, [2, 3, 4])).toEqual([0, 1, 1]);
    expect(unravel(0, [])).toEqual([]);
  });
});
