import type { Box, Mask } from '../data/types.ts';
import type { Size } from './maps.ts';

/** How an image was brought to the frame of its mask: `pixel = coordinate * scale + offset`. */
export interface BoxTransform {
  readonly scale?: number;
  readonly offsetX?: number;
  readonly offsetY?: number;
}

/**
 * Unites the boxes of one image and phrase (OR) in a mask. Edges are transformed like the image and rounded down to
 * pixels; a box covers the pixels from its floored near edge up to, not including, its floored far edge, and is cut at
 * the border.
 *
 * @param boxes In pixels of the original image.
 * @param size Size of the mask.
 */
export function boxesToMask(boxes: readonly Box[], size: Size, transform: BoxTransform = {}): Mask {
  const { scale = 1, offsetX = 0, offsetY = 0 } = transform;
  const data = new Uint8Array(size.width * size.height);
  for (const box of boxes) {
    if (![box.x, box.y, box.width, box.height].every(Number.isFinite) || box.width < 0 || box.height < 0) {
      throw new RangeError(
        `A box needs finite coordinates and a size >= 0, got x ${box.x}, y ${box.y}, width ${box.width}, height ${box.height}.`,
      );
    }
    const left = Math.max(0, Math.floor(box.x * scale + offsetX));
    const right = Math.min(size.width, Math.floor((box.x + box.width) * scale + offsetX));
    const top = Math.max(0, Math.floor(box.y * scale + offsetY));
    const bottom = Math.min(size.height, Math.floor((box.y + box.height) * scale + offsetY));
    for (let y = top; y < bottom; y++) {
      if (right > left) data.fill(1, y * size.width + left, y * size.width + right);
    }
  }
  return { width: size.width, height: size.height, data };
}

/** Number of marked pixels. */
export function maskArea(mask: Mask): number {
  let area = 0;
  for (const value of mask.data) if (value !== 0) area++;
  return area;
}

/**
 * Shrinks a mask whose longest side exceeds `longestSide`, aspect kept: a pixel is marked when at least half of its
 * area was. Where that leaves nothing of a region, every pixel that the region touches is marked, so that small lesions
 * are not lost. Smaller masks are returned as they are.
 */
export function reduceMask(mask: Mask, longestSide: number): Mask {
  const longest = Math.max(mask.width, mask.height);
  if (longest <= longestSide) return mask;
  const width = Math.max(1, Math.round((mask.width * longestSide) / longest));
  const height = Math.max(1, Math.round((mask.height * longestSide) / longest));
  const coverage = coveredArea(mask, width, height);
  const whole = (mask.width / width) * (mask.height / height);
  const half = Uint8Array.from(coverage, (area) => (area >= whole / 2 - 1e-9 ? 1 : 0));
  const data = half.includes(1) ? half : Uint8Array.from(coverage, (area) => (area > 0 ? 1 : 0));
  return { width, height, data };
}

/** Marked area under every cell of a `[height, width]` frame stretched over the mask, in pixels of the mask. */
export function coveredArea(mask: Mask, width: number, height: number): Float64Array {
  const area = new Float64Array(width * height);
  const columns = overlaps(mask.width, width);
  const lines = overlaps(mask.height, height);
  const row = new Float64Array(width);
  for (let y = 0; y < mask.height; y++) {
    row.fill(0);
    for (let x = 0; x < mask.width; x++) {
      if (mask.data[y * mask.width + x] === 0) continue;
      for (const [column, share] of columns[x] ?? []) row[column] = (row[column] ?? 0) + share;
    }
    for (const [line, share] of lines[y] ?? []) {
      for (let x = 0; x < width; x++) area[line * width + x] = (area[line * width + x] ?? 0) + share * (row[x] ?? 0);
    }
  }
  return area;
}

/** For every pixel of an axis the cells that it overlaps, each with the share of the pixel that falls into it. */
function overlaps(pixels: number, cells: number): (readonly [cell: number, share: number])[][] {
  return Array.from({ length: pixels }, (_, i) => {
    // Compared in units of 1 / (pixels * cells), where every edge is a whole number and nothing is lost to rounding.
    const [start, end] = [i * cells, (i + 1) * cells];
    const shares: [number, number][] = [];
    for (let cell = Math.floor(start / pixels); cell * pixels < end; cell++) {
      shares.push([cell, (Math.min(end, (cell + 1) * pixels) - Math.max(start, cell * pixels)) / cells]);
    }
    return shares;
  });
}
