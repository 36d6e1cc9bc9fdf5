import { type PhraseFinding, shownRange } from '../../../src/eval/finding.ts';
import { colorsOf } from '../../../src/eval/overlay.ts';
import { colors, preset, threshold } from '../state.ts';

const [width, height] = [300, 12];
const stops = 16;

/** What the colours of a map mean: its values, and the cosines that they stand for. */
export function Legend({ id, finding }: { readonly id: string; readonly finding: PhraseFinding }) {
  const [low, high] = shownRange(finding, preset.value);
  const [least, most] = finding.cosines;
  const table = colorsOf(colors.value);
  const place = (width * (threshold.value - low)) / (high - low);
  const end = (value: number, cosine: number): string =>
    preset.value === 'paper-minmax' ? `${value} (cosine ${cosine.toFixed(2)})` : `cosine ${cosine.toFixed(2)}`;
  return (
    <div class="legend">
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Colours from ${end(low, least)} to ${end(high, most)}; the contour is at ${threshold.value.toFixed(2)}`}
      >
        <linearGradient id={id}>
          {Array.from({ length: stops + 1 }, (_, i) => {
            const [r, g, b] = table[Math.round((255 * i) / stops)] ?? [0, 0, 0];
            return <stop key={i} offset={i / stops} stop-color={`rgb(${r} ${g} ${b})`} />;
          })}
        </linearGradient>
        <rect width={width} height={height} fill={`url(#${id})`} />
        {place >= 0 && place <= width && <line x1={place} x2={place} y2={height} />}
      </svg>
      <span>{end(low, least)}</span>
      <span>{end(high, most)}</span>
    </div>
  );
}
