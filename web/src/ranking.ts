import { type Localization, similarityMap } from '../../src/eval/localizer.ts';
import type { Size } from '../../src/eval/maps.ts';

/** Parts of an image as the reader sees it, row by row. */
export const ZONES = ['upper left', 'upper right', 'middle left', 'middle right', 'lower left', 'lower right'] as const;
export type Zone = (typeof ZONES)[number];

/** The zone of a place in an image; `x` and `y` from 0 to 1. */
export function zoneAt(x: number, y: number): Zone {
  const row = Math.min(2, Math.max(0, Math.floor(3 * y)));
  const column = x < 0.5 ? 0 : 1;
  return ZONES[2 * row + column] ?? ZONES[0];
}

/** Cells per side in which a map is looked at. */
const cells = 24;

/** Largest smoothed cosine in each zone of the image. */
export function zonePeaks(localization: Localization, image: Size, sigma: number): Readonly<Record<Zone, number>> {
  const { data } = similarityMap(localization, image, { width: cells, height: cells }, { sigma });
  const peaks = Object.fromEntries(ZONES.map((zone) => [zone, Number.NEGATIVE_INFINITY])) as Record<Zone, number>;
  for (const [i, value] of data.entries()) {
    const zone = zoneAt(((i % cells) + 0.5) / cells, (Math.floor(i / cells) + 0.5) / cells);
    peaks[zone] = Math.max(peaks[zone], value);
  }
  return peaks;
}
