/** Annotated places as one mask of the image's size. */
import { DataError } from '../errors.ts';
import { type Region, regionToMask } from '../region.ts';
import { uniteMasks } from '../regions.ts';
import type { GrayImage, Mask } from '../types.ts';
import type { Place } from './annotation.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A picture as a mask: pixels above half of the brightest are 1, so that 0/1 and 0/255 files both work. */
export function maskOfImage({ width, height, data }: GrayImage): Mask {
  const threshold = data.reduce((most, value) => Math.max(most, value), 0) / 2;
  return { width, height, data: Uint8Array.from(data, (value) => (value > threshold ? 1 : 0)) };
}

/**
 * The union of places in an image.
 *
 * @param readMask Gives the mask in a file that a place names.
 * @throws DataError where a mask is not of the image's size, or where boxes or outlines lie outside of the image.
 */
export async function maskOfPlaces(
  places: readonly Place[],
  image: Size,
  readMask: (file: string, where: string) => Promise<Mask>,
): Promise<Mask> {
  const size = { width: image.width, height: image.height };
  const masks: Mask[] = [];
  for (const { region, where } of places) {
    if (region.kind === 'file') {
      const mask = await readMask(region.file, where);
      checkMaskSize(mask, size, region.file);
      masks.push(mask);
      continue;
    }
    const mask = regionToMask(region, size);
    if (marksSomething(region) && !mask.data.includes(1)) {
      const { width, height } = { ...size, ...region };
      throw new DataError(`${where}: expected a place within ${width} × ${height} pixels, found one outside.`);
    }
    masks.push(mask);
  }
  return uniteMasks(masks);
}

/** Throws DataError unless a mask has the size of its image. */
export function checkMaskSize(mask: Size, image: Size, name: string): void {
  if (mask.width === image.width && mask.height === image.height) return;
  throw new DataError(
    `${name}: expected a mask of the image's size, ${image.width} × ${image.height} pixels, ` +
      `found ${mask.width} × ${mask.height}.`,
  );
}

/** Whether anything is drawn at all: an empty list says that there is nothing. */
function marksSomething(region: Exclude<Region, { kind: 'file' }>): boolean {
  if (region.kind === 'boxes') return region.boxes.length > 0;
  return region.kind === 'polygons' && region.polygons.some((polygon) => polygon.length > 2);
}
