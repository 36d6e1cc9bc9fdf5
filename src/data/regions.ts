/** Regions of an image as boxes and masks. */
import { DataError } from './errors.ts';
import type { Box, Mask } from './types.ts';

/**
 * The union of boxes in an image's frame. Edges are floored to whole pixels; parts outside of the image are cut, and a
 * box that is thinner than a pixel still marks one.
 */
export function boxesToMask(boxes: readonly Box[], { width, height }: { width: number; height: number }): Mask {
  const data = new Uint8Array(width * height);
  for (const box of boxes) {
    const left = Math.floor(box.x);
    const top = Math.floor(box.y);
    const right = Math.min(width, Math.max(left + 1, Math.floor(box.x + box.width)));
    const bottom = Math.min(height, Math.max(top + 1, Math.floor(box.y + box.height)));
    for (let y = Math.max(0, top); y < bottom; y++) {
      for (let x = Math.max(0, left); x < right; x++) data[y * width + x] = 1;
    }
  }
  return { width, height, data };
}

/** The union of masks of one size. Throws DataError when sizes differ or the list is empty. */
export function uniteMasks(masks: readonly Mask[]): Mask {
  const [first, ...others] = masks;
  if (!first) throw new DataError('Expected at least one mask to unite, found none.');
  const data = Uint8Array.from(first.data);
  for (const mask of others) {
    if (mask.width !== first.width || mask.height !== first.height) {
      throw new DataError(
        `Masks of one image must have one size; found ${first.width}x${first.height} and ${mask.width}x${mask.height}.`,
      );
    }
    for (let i = 0; i < data.length; i++) if (mask.data[i]) data[i] = 1;
  }
  return { width: first.width, height: first.height, data };
}

/** The smallest box around a mask's pixels; undefined for an empty mask. */
export function maskToBox(mask: Mask): Box | undefined {
  let [left, top, right, bottom] = [mask.width, mask.height, -1, -1];
  for (let y = 0; y < mask.height; y++) {
    for (let x = 0; x < mask.width; x++) {
      if (!mask.data[y * mask.width + x]) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return right < 0 ? undefined : { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}
