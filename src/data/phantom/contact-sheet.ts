import type { GrayImage, Mask } from '../types.ts';

export interface SheetItem {
  readonly image: GrayImage;
  /** Masks in the image's frame. */
  readonly masks: readonly Mask[];
}

/** `[height, width, 3]` pixels, 0 to 255. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Colours that stay apart for colour-blind viewers (Okabe and Ito). */
const COLORS = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [204, 121, 167],
  [213, 94, 0],
  [240, 228, 66],
] as const;

/** Rows of images, and under each row the same images with their masks tinted. All images must have one size. */
export function contactSheet(items: readonly SheetItem[], columns: number): RgbImage {
  const first = items[0]?.image;
  if (!first) throw new RangeError('A contact sheet needs at least one image, found none.');
  const across = Math.min(columns, items.length);
  const width = across * first.width;
  const height = 2 * Math.ceil(items.length / across) * first.height;
  const data = new Uint8Array(width * height * 3);
  items.forEach(({ image, masks }, n) => {
    if (image.width !== first.width || image.height !== first.height) {
      throw new RangeError(
        `Images of a contact sheet must have one size; found ${first.width}x${first.height} and ${image.width}x${image.height}.`,
      );
    }
    const left = (n % across) * image.width;
    const top = 2 * Math.floor(n / across) * image.height;
    image.data.forEach((value, i) => {
      const x = left + (i % image.width);
      const y = top + Math.floor(i / image.width);
      const gray = Math.round(255 * value);
      const marked = masks.findIndex((mask) => mask.data[i] === 1);
      const color = marked < 0 ? [gray, gray, gray] : (COLORS[marked % COLORS.length] ?? COLORS[0]);
      for (let c = 0; c < 3; c++) {
        data[3 * (y * width + x) + c] = gray;
        data[3 * ((y + image.height) * width + x) + c] = 0.6 * gray + 0.4 * (color[c] ?? 0);
      }
    });
  });
  return { width, height, data };
}
