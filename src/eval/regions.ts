import { contours } from 'd3-contour';
import type { Box, Mask } from '../data/types.ts';
import type { Grid } from './maps.ts';

/** A connected region of a map. */
export interface Region {
  /** Smallest box of whole pixels around the region. */
  readonly box: Box;
  /** Pixels. */
  readonly area: number;
  /** Largest value of the map within. */
  readonly peak: number;
}

/** Regions where a map is strictly greater than a threshold (pixels that touch, also at corners), largest peak first. */
export function regionsAbove(map: Grid, threshold: number): Region[] {
  const { width, height, data } = map;
  const seen = new Uint8Array(data.length);
  const limit = Math.fround(threshold);
  const regions: Region[] = [];
  for (let start = 0; start < data.length; start++) {
    if (seen[start] === 1 || !((data[start] ?? Number.NaN) > limit)) continue;
    let [left, right, top, bottom] = [width, -1, height, -1];
    let [area, peak] = [0, Number.NEGATIVE_INFINITY];
    const open = [start];
    seen[start] = 1;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const [x, y] = [at % width, Math.floor(at / width)];
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      area++;
      peak = Math.max(peak, data[at] ?? peak);
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v++) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u++) {
          const next = v * width + u;
          if (seen[next] === 1 || !((data[next] ?? Number.NaN) > limit)) continue;
          seen[next] = 1;
          open.push(next);
        }
      }
    }
    regions.push({ box: { x: left, y: top, width: right - left + 1, height: bottom - top + 1 }, area, peak });
  }
  return regions.sort((a, b) => b.peak - a.peak);
}

/** The box around everything above a threshold: the localization as one box. Undefined when nothing is above. */
export function localizationBox(map: Grid, threshold: number): Box | undefined {
  const boxes = regionsAbove(map, threshold).map((region) => region.box);
  if (boxes.length === 0) return undefined;
  const x = Math.min(...boxes.map((box) => box.x));
  const y = Math.min(...boxes.map((box) => box.y));
  const right = Math.max(...boxes.map((box) => box.x + box.width));
  const bottom = Math.max(...boxes.map((box) => box.y + box.height));
  return { x, y, width: right - x, height: bottom - y };
}

/** A closed line, `[x, y]` per point with the first repeated at the end, in pixels (a pixel's centre is at +0.5). */
export type Ring = readonly (readonly [number, number])[];

/** Lines around the parts of a map that reach a level, interpolated between pixel centres (marching squares). */
export function contourRings(map: Grid, level: number): Ring[] {
  const shape = contours().size([map.width, map.height]).contour(Array.from(map.data), level);
  return shape.coordinates.flat().map((ring) => ring.map(([x = 0, y = 0]) => [x, y] as const));
}

/** Outline of a mask. */
export function maskRings(mask: Mask): Ring[] {
  return contourRings({ width: mask.width, height: mask.height, data: Float32Array.from(mask.data) }, 0.5);
}
