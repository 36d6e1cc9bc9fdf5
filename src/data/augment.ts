/**
 * Random changes of training images. There is no flip on purpose: left and right are words of the reports, and a
 * mirrored chest would contradict them.
 */
import { cos, sin } from './elementary.ts';
import type { Random } from './random.ts';
import type { GrayImage } from './types.ts';

/** How far an image may be changed. */
export interface AugmentOptions {
  /** Longest side before the random crop, relative to the image size: 256 / 224 crops 224 out of 256. At least 1. */
  readonly resizeRatio: number;
  /** Largest rotation in degrees, either way. */
  readonly rotation: number;
  /** Largest extra shift as a fraction of the size, either way. */
  readonly shift: number;
  /** Largest change of brightness, added, either way. */
  readonly brightness: number;
  /** Largest change of contrast around 0.5, as a factor 1 +- contrast. */
  readonly contrast: number;
}

/** For radiographs: 224-pixel crops of 256-pixel images. */
export const RADIOGRAPH_AUGMENTATION: AugmentOptions = {
  resizeRatio: 256 / 224,
  rotation: 5,
  shift: 0,
  brightness: 0.1,
  contrast: 0.15,
};
/** For phantoms, whose pose varies already. */
export const PHANTOM_AUGMENTATION: AugmentOptions = {
  resizeRatio: 1,
  rotation: 2,
  shift: 0.03,
  brightness: 0.05,
  contrast: 0.1,
};

/**
 * One random crop of `size` from a square frame of `ratio * size`, turned about its centre, with changed brightness and
 * contrast. Bilinear; 0 outside of the frame; values are kept within [0, 1].
 */
export function augment(frame: GrayImage, size: number, random: Random, options: AugmentOptions): GrayImage {
  const angle = random.uniform(-options.rotation, options.rotation) * 0.017453292519943295;
  const freedom = (frame.width - size) / 2;
  const shift = (): number => random.uniform(-1, 1) * (freedom + options.shift * size);
  const centreX = frame.width / 2 + shift();
  const centreY = frame.height / 2 + shift();
  const gain = 1 + random.uniform(-options.contrast, options.contrast);
  const offset = 0.5 - 0.5 * gain + random.uniform(-options.brightness, options.brightness);
  const s = sin(angle);
  const c = cos(angle);
  const data = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    const dy = y + 0.5 - size / 2;
    for (let x = 0; x < size; x++) {
      const dx = x + 0.5 - size / 2;
      const value = sampleZeroPadded(frame, centreX + c * dx - s * dy - 0.5, centreY + s * dx + c * dy - 0.5);
      // What lies outside of the image stays black, as its padding does.
      data[y * size + x] = value === 0 ? 0 : Math.min(Math.max(value * gain + offset, 0), 1);
    }
  }
  return { width: size, height: size, data };
}

function sampleZeroPadded(image: GrayImage, x: number, y: number): number {
  const { width, height, data } = image;
  if (x <= -1 || y <= -1 || x >= width || y >= height) return 0;
  const x0 = Math.floor(x);
  const y0 = Math.floor(y);
  const tx = x - x0;
  const ty = y - y0;
  const i = y0 * width + x0;
  const left = x0 >= 0;
  const right = x0 + 1 < width;
  let sum = 0;
  if (y0 >= 0) sum += (1 - ty) * ((left ? (1 - tx) * (data[i] ?? 0) : 0) + (right ? tx * (data[i + 1] ?? 0) : 0));
  if (y0 + 1 < height) {
    const j = i + width;
    sum += ty * ((left ? (1 - tx) * (data[j] ?? 0) : 0) + (right ? tx * (data[j + 1] ?? 0) : 0));
  }
  return sum;
}
