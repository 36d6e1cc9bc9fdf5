/** Regions as plain data in the frame they were drawn in, and their masks in the frame of an image of any size. */
import * as z from 'zod';
import { rasterizePolygons } from './polygons.ts';
import { boxesToMask } from './regions.ts';
import { decodeRle } from './rle.ts';
import type { Mask } from './types.ts';

const side = z.number().int().positive().max(65536);
const point = z.tuple([z.number(), z.number()]);
const box = z.strictObject({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });

/** Width and height are those of the frame; absent, the region is in pixels of its image. */
const frame = { width: side.optional(), height: side.optional() };

export const regionSchema = z.discriminatedUnion('kind', [
  /** Boxes are united. */
  z.strictObject({ kind: z.literal('boxes'), boxes: z.array(box).min(1), ...frame }),
  /** Polygons are united; each is filled even-odd. */
  z.strictObject({ kind: z.literal('polygons'), polygons: z.array(z.array(point)).min(1), ...frame }),
  /** COCO's compressed run lengths, column by column. */
  z.strictObject({ kind: z.literal('rle'), counts: z.string(), width: side, height: side }),
  /** An image file, relative to the folder of the images; see `maskOfImage`. */
  z.strictObject({ kind: z.literal('file'), file: z.string().min(1) }),
]);
export type Region = z.infer<typeof regionSchema>;

/**
 * The region's mask in an image of the given size. Boxes and polygons scale with it, run lengths are sampled at the
 * nearest pixel. Throws DataError for run lengths that don't fill their frame.
 */
export function regionToMask(
  region: Exclude<Region, { kind: 'file' }>,
  { width, height }: { width: number; height: number },
): Mask {
  const scaleX = width / (region.width ?? width);
  const scaleY = height / (region.height ?? height);
  switch (region.kind) {
    case 'boxes': {
      const scaled = region.boxes.map((b) => ({
        x: b.x * scaleX,
        y: b.y * scaleY,
        width: b.width * scaleX,
        height: b.height * scaleY,
      }));
      return boxesToMask(scaled, { width, height });
    }
    case 'polygons':
      return rasterizePolygons(
        region.polygons.map((polygon) => polygon.map(([x, y]) => [x * scaleX, y * scaleY] as const)),
        { width, height },
      );
    case 'rle':
      return resizeMask(decodeRle(region.counts, region), width, height);
  }
}

/** The mask at another size, nearest pixel. */
export function resizeMask(mask: Mask, width: number, height: number): Mask {
  if (mask.width === width && mask.height === height) return mask;
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * mask.height) / height) * mask.width;
    for (let x = 0; x < width; x++)
      data[y * width + x] = mask.data[row + Math.floor(((x + 0.5) * mask.width) / width)] ?? 0;
  }
  return { width, height, data };
}
