/** Values on the host, in row-major order. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export interface Tolerance {
  readonly rtol: number;
  /** One number, or one per element. */
  readonly atol: number | ArrayLike<number>;
}

/** An element that misses its tolerance. */
export interface Mismatch {
  /** Flat, row-major. */
  readonly index: number;
  readonly got: number;
  readonly expected: number;
  readonly tolerance: number;
}

export interface Comparison {
  readonly elements: number;
  readonly bad: number;
  /** Largest error as a multiple of its tolerance; Infinity for NaN and for anything but an exact match without tolerance. */
  readonly worstRatio: number;
  /** The worst element, if it misses its tolerance. */
  readonly worst?: Mismatch;
}

/** `|got - expected|` as a multiple of the tolerance. NaN never passes, a non-finite reference only if matched exactly. */
export function errorRatio(got: number, expected: number, tolerance: number): number {
  if (got === expected) return 0;
  if (!Number.isFinite(got) || !Number.isFinite(expected)) return Number.POSITIVE_INFINITY;
  return Math.abs(got - expected) / tolerance;
}

/** Checks `|got - expected| <= atol + rtol |expected|` element by element; both have the same length. */
export function compareValues(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol, atol }: Tolerance,
): Comparison {
  let bad = 0;
  let worstRatio = 0;
  let worstIndex = -1;
  const toleranceAt = (i: number): number =>
    (typeof atol === 'number' ? atol : (atol[i] ?? 0)) + rtol * Math.abs(expected[i] ?? 0);
  for (let i = 0; i < expected.length; i++) {
    const ratio = errorRatio(got[i] ?? Number.NaN, expected[i] ?? Number.NaN, toleranceAt(i));
    if (ratio > 1) bad += 1;
    if (ratio > worstRatio) {
      worstRatio = ratio;
      worstIndex = i;
    }
  }
  const compared = { elements: expected.length, bad, worstRatio };
  if (bad === 0) return compared;
  const worst = {
    index: worstIndex,
    got: got[worstIndex] ?? Number.NaN,
    expected: expected[worstIndex] ?? Number.NaN,
    tolerance: toleranceAt(worstIndex),
  };
  return { ...compared, worst };
}

/** Position of a flat index along each axis. */
export function unravel(index: number, shape: readonly number[]): number[] {
  let rest = index;
  return shape
    .toReversed()
    .map((size) => {
      const position = rest % size;
      rest = Math.floor(rest / size);
      return position;
    })
    .toReversed();
}
