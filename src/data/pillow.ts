/** Images of 8 bits and their resizing as the Python tools of published systems do it. */
import { DataError } from './errors.ts';
import type { GrayImage } from './types.ts';

/** A grey image of 8 bits. */
export interface ByteImage {
  readonly width: number;
  readonly height: number;
  /** `[height, width]`, row-major. */
  readonly data: Uint8Array;
}

/** Grey values from 0 to 255; images of more bits are rounded. @throws DataError for an empty image */
export function toBytes({ width, height, data }: GrayImage): ByteImage {
  if (width < 1 || height < 1 || data.length !== width * height) {
    throw new DataError(`An image of ${width}x${height} pixels cannot have ${data.length} values.`);
  }
  return { width, height, data: Uint8Array.from(data, (value) => Math.round(255 * value)) };
}

/** Rounds halves to the even neighbour, as Python and OpenCV do. */
export function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  const part = value - low;
  if (part !== 0.5) return Math.round(value);
  return low % 2 === 0 ? low : low + 1;
}

/**
 * Pillow's bilinear resize, which torchvision's `Resize` applies to images that are no tensors: a triangle as wide as
 * two source pixels, or two target pixels where the image shrinks; columns first, rounded to 8 bits after each pass.
 */
export function resizePillow(image: ByteImage, width: number, height: number): ByteImage {
  if (!(Number.isInteger(width) && width >= 1 && Number.isInteger(height) && height >= 1)) {
    throw new RangeError(`An image needs a whole size of 1 or more, got ${width}x${height}.`);
  }
  const narrow = width === image.width ? image : resizeColumns(image, width);
  return height === image.height ? narrow : transpose(resizeColumns(transpose(narrow), height));
}

/** Pillow works with whole numbers: weights have 22 bits behind the point. */
const fixedOne = 2 ** 22;

function resizeColumns({ width: from, height, data: source }: ByteImage, width: number): ByteImage {
  const data = new Uint8Array(width * height);
  const scale = from / width;
  const support = Math.max(scale, 1);
  for (let x = 0; x < width; x++) {
    const centre = (x + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(from, Math.trunc(centre + support + 0.5));
    const weights = Float64Array.from({ length: end - first }, (_, k) =>
      Math.max(0, 1 - Math.abs((k + first - centre + 0.5) / support)),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const fixed = weights.map((weight) => Math.trunc((weight / total) * fixedOne + 0.5));
    for (let y = 0; y < height; y++) {
      let sum = fixedOne / 2;
      for (let k = 0; k < fixed.length; k++) sum += (fixed[k] ?? 0) * (source[y * from + first + k] ?? 0);
      data[y * width + x] = Math.min(255, Math.floor(sum / fixedOne));
    }
  }
  return { width, height, data };
}

function transpose({ width, height, data }: ByteImage): ByteImage {
  const turned = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) turned[x * height + y] = data[y * width + x] ?? 0;
  return { width: height, height: width, data: turned };
}

/** The square of `size` pixels whose corner is `left`, `top` of the image; 0 where it reaches beyond it. */
export function cutSquare({ width, height, data }: ByteImage, size: number, left: number, top: number): ByteImage {
  const cut = new Uint8Array(size * size);
  for (let y = Math.max(0, -top); y < Math.min(size, height - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(size, width - left); x++) {
      cut[y * size + x] = data[(y + top) * width + x + left] ?? 0;
    }
  }
  return { width: size, height: size, data: cut };
}

const bins = 256;

/**
 * Histogram equalisation as scikit-image's `equalize_hist` of an image of floats: every value becomes its share in the
 * cumulative histogram of 256 bins between the least and the largest value, interpolated between the bins' centres.
 * The shares are cut off to 8 bits. A constant image has nothing to equalise and stays as it is.
 */
export function equalizeHistogram({ width, height, data }: ByteImage): ByteImage {
  let [least, most] = [255, 0];
  for (const value of data) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  if (least >= most) return { width, height, data };
  const counts = new Float64Array(bins);
  const binOf = (value: number): number => Math.min(bins - 1, Math.floor(((value - least) / (most - least)) * bins));
  for (const value of data) counts[binOf(value)] = (counts[binOf(value)] ?? 0) + 1;
  let sum = 0;
  const shares = counts.map((count) => {
    sum += count;
    return sum / data.length;
  });
  const levels = Uint8Array.from({ length: 256 }, (_, value) => {
    const place = Math.min(bins - 1, Math.max(0, ((value - least) / (most - least)) * bins - 0.5));
    const before = shares[Math.floor(place)] ?? 0;
    const after = shares[Math.min(bins - 1, Math.floor(place) + 1)] ?? 0;
    return Math.floor(255 * (before + (after - before) * (place - Math.floor(place))));
  });
  return { width, height, data: data.map((value) => levels[value] ?? 0) };
}
