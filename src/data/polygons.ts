/** Filling polygons. */
import type { Mask } from './types.ts';

/**
 * The union of polygons. A pixel belongs to a polygon when its centre (x + 0.5, y + 0.5) lies inside by the even-odd
 * rule, so that a polygon that crosses itself has holes and two that share an edge share no pixel. Corners are `[x, y]` in
 * pixel edges; parts outside of the frame are cut, polygons of fewer than three corners mark nothing.
 */
export function rasterizePolygons(
  polygons: readonly (readonly (readonly [number, number])[])[],
  { width, height }: { width: number; height: number },
): Mask {
  const data = new Uint8Array(width * height);
  for (const polygon of polygons) {
    if (polygon.length < 3) continue;
    // Rows that the polygon reaches; centres above its top or below its bottom are never inside.
    let [top, bottom] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const [, y] of polygon) {
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
    for (let row = Math.max(0, Math.floor(top)); row < Math.min(height, Math.ceil(bottom)); row++) {
      const crossings = crossingsAt(polygon, row + 0.5);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const left = Math.max(0, Math.ceil((crossings[i] ?? 0) - 0.5));
        const right = Math.min(width, Math.ceil((crossings[i + 1] ?? 0) - 0.5));
        if (right > left) data.fill(1, row * width + left, row * width + right);
      }
    }
  }
  return { width, height, data };
}

/** Where the edges cross a horizontal line, from left to right. An edge owns its upper end and not its lower one. */
function crossingsAt(polygon: readonly (readonly [number, number])[], y: number): number[] {
  const crossings: number[] = [];
  polygon.forEach(([x1, y1], i) => {
    const [x2, y2] = polygon[(i + 1) % polygon.length] ?? [x1, y1];
    if (y1 <= y !== y2 <= y) crossings.push(x1 + ((y - y1) / (y2 - y1)) * (x2 - x1));
  });
  return crossings.sort((a, b) => a - b);
}
