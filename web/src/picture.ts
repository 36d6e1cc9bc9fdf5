import { resizeArea, resizedSize } from '../../src/data/preprocess.ts';
import type { Box, GrayImage, Mask } from '../../src/data/types.ts';
import { describeFinding, type FindingOptions, type PhraseFinding, shownRange } from '../../src/eval/finding.ts';
import { type Localization, squareFrame } from '../../src/eval/localizer.ts';
import type { Size } from '../../src/eval/maps.ts';
import { countOverThresholds, overlap } from '../../src/eval/metrics.ts';
import { type ColorScale, type RgbaImage, renderOverlay } from '../../src/eval/overlay.ts';

/** Larger images are shown, and their maps made, with this longest side: sliders then stay fluent. */
const mostPixels = 768;

/** Side of the pictures of small images. */
const leastPixels = 512;

/** Size of the map of an image: its own, unless it is larger than what is shown. */
export function mapSize(image: Size): Size {
  if (Math.max(image.width, image.height) <= mostPixels) return { width: image.width, height: image.height };
  const { width, height } = resizedSize(image, mostPixels);
  return { width, height };
}

export function scaleToMap(image: GrayImage): GrayImage {
  const { width, height } = mapSize(image);
  return width === image.width && height === image.height ? image : resizeArea(image, width, height);
}

/** `describeFinding` with the map at the size of `mapSize`; places are in pixels of the map. */
export function findingOf(phrase: string, found: Localization, image: Size, options: FindingOptions): PhraseFinding {
  const size = mapSize(image);
  const frame = scaleBox(found.frame ?? squareFrame(image), image, size);
  return describeFinding(phrase, { ...found, frame }, size, options);
}

/** A box in pixels of one size of an image, in those of another. */
export function scaleBox({ x, y, width, height }: Box, from: Size, to: Size): Box {
  const [across, down] = [to.width / from.width, to.height / from.height];
  return { x: x * across, y: y * down, width: width * across, height: height * down };
}

export interface PictureOptions extends FindingOptions {
  readonly colors: ColorScale;
  readonly opacity: number;
  readonly mask?: Mask;
}

/** Heat map and contour over an image of the map's size. */
export function drawPicture(image: GrayImage, finding: PhraseFinding, options: PictureOptions): RgbaImage {
  const { preset, threshold, colors, opacity, mask } = options;
  return renderOverlay(image, {
    map: finding.map,
    contours: [threshold],
    range: shownRange(finding, preset),
    ...(mask ? { mask } : {}),
    colors,
    opacity,
    longestSide: Math.max(leastPixels, image.width, image.height),
  });
}

/** Overlap of what is over the threshold with a mask of the map's size. */
export function overlapWith(mask: Mask, { map }: PhraseFinding, threshold: number): { iou: number; dice: number } {
  const { iou, dice } = overlap(countOverThresholds(map, mask, [threshold]));
  return { iou: iou[0] ?? Number.NaN, dice: dice[0] ?? Number.NaN };
}
