interface CurveProps {
  readonly values: readonly number[];
  /** Steps before the first value. */
  readonly first: number;
  /** Length of the horizontal axis. */
  readonly steps: number;
}

const [width, height] = [300, 90];

/** A loss curve, with its first and last value in words. */
export function Curve({ values, first, steps }: CurveProps) {
  const largest = Math.max(...values, 1e-6);
  const points = values.map(
    (value, i) => `${((first + i) * width) / steps},${height - (value / largest) * (height - 4)}`,
  );
  const label =
    values.length === 0
      ? 'Loss curve, still empty'
      : `Loss curve: ${values[0]?.toFixed(2)} at first, ${values.at(-1)?.toFixed(2)} after ${first + values.length} steps`;
  return (
    <svg class="curve" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <polyline points={points.join(' ')} />
    </svg>
  );
}
