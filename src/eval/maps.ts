import type { Box } from '../data/types.ts';

/** A grid of numbers: a similarity per region, a heat map per pixel or a location prior. */
export interface Grid {
  readonly width: number;
  readonly height: number;
  /** `[height, width]`, row-major. */
  readonly data: Float32Array;
}

/** Height and width in pixels or cells. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * How a map is brought to the scale of the thresholds.
 * - `paper-minmax`: every map is stretched to [-1, 1] by its own minimum and maximum.
 * - `paper-cosine`: the similarities stay what they are.
 *
 * Figures of the two differ several-fold, so they are never compared with each other.
 */
export type RescalePreset = 'paper-minmax' | 'paper-cosine';

export const RESCALE_PRESETS: readonly RescalePreset[] = ['paper-minmax', 'paper-cosine'];

/** Standard deviation of the smoothing, in cells of the similarity grid. */
export const DEFAULT_SIGMA = 1.5;

/**
 * Gaussian filter with half-sample symmetric borders (d c b a | a b c d | d c b a), as SciPy's `gaussian_filter` with
 * `mode="reflect"`.
 *
 * @param sigma Standard deviation in cells; 0 returns a copy.
 * @param radius Cells to either side that the window reaches; default 4 sigma rounded (6 for sigma 1.5).
 */
export function gaussianBlur(grid: Grid, sigma = DEFAULT_SIGMA, radius = Math.round(4 * sigma)): Grid {
  checkGrid(grid);
  if (!(sigma >= 0) || !Number.isInteger(radius) || radius < 0) {
    throw new RangeError(`A Gaussian needs sigma >= 0 and a whole radius >= 0, got sigma ${sigma}, radius ${radius}.`);
  }
  const { width, height } = grid;
  if (sigma === 0) return { width, height, data: grid.data.slice() };
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const rows = new Float64Array(width * height);
  for (let x = 0; x < width; x++) {
    for (let k = -radius; k <= radius; k++) {
      const weight = (weights[k + radius] ?? 0) / total;
      const source = reflect(x + k, width);
      for (let y = 0; y < height; y++) {
        rows[y * width + x] = (rows[y * width + x] ?? 0) + weight * (grid.data[y * width + source] ?? 0);
      }
    }
  }
  const data = new Float64Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let k = -radius; k <= radius; k++) {
      const weight = (weights[k + radius] ?? 0) / total;
      const source = reflect(y + k, height) * width;
      for (let x = 0; x < width; x++) {
        data[y * width + x] = (data[y * width + x] ?? 0) + weight * (rows[source + x] ?? 0);
      }
    }
  }
  return { width, height, data: Float32Array.from(data) };
}

function reflect(index: number, size: number): number {
  const period = 2 * size;
  const wrapped = ((index % period) + period) % period;
  return wrapped < size ? wrapped : period - 1 - wrapped;
}

/**
 * Bilinear interpolation of a grid at the pixel centres of an image (`align_corners=False`, no antialiasing).
 *
 * @param size The image's size in pixels.
 * @param frame The rectangle that the grid covers, in pixels of the image. It may reach beyond the image (zero padding)
 *   or leave a margin free (centre crop); beyond the outermost cell centres the nearest value is kept. Default: the
 *   whole image.
 */
export function resizeBilinear(
  grid: Grid,
  size: Size,
  frame: Box = { x: 0, y: 0, width: size.width, height: size.height },
): Grid {
  checkGrid(grid);
  if (!(size.width >= 1) || !(size.height >= 1) || !(frame.width > 0) || !(frame.height > 0)) {
    throw new RangeError(
      `A map needs at least 1x1 pixels and a frame of positive size, got ${size.width}x${size.height} pixels and a frame of ${frame.width}x${frame.height}.`,
    );
  }
  const columns = axis(size.width, grid.width, frame.x, frame.width);
  const lines = axis(size.height, grid.height, frame.y, frame.height);
  const data = new Float32Array(size.width * size.height);
  for (let y = 0; y < size.height; y++) {
    const top = (lines.low[y] ?? 0) * grid.width;
    const bottom = (lines.high[y] ?? 0) * grid.width;
    const down = lines.fraction[y] ?? 0;
    for (let x = 0; x < size.width; x++) {
      const left = columns.low[x] ?? 0;
      const right = columns.high[x] ?? 0;
      const across = columns.fraction[x] ?? 0;
      const above = (grid.data[top + left] ?? 0) * (1 - across) + (grid.data[top + right] ?? 0) * across;
      const below = (grid.data[bottom + left] ?? 0) * (1 - across) + (grid.data[bottom + right] ?? 0) * across;
      data[y * size.width + x] = above * (1 - down) + below * down;
    }
  }
  return { width: size.width, height: size.height, data };
}

function axis(pixels: number, cells: number, start: number, length: number) {
  const low = new Int32Array(pixels);
  const high = new Int32Array(pixels);
  const fraction = new Float64Array(pixels);
  for (let i = 0; i < pixels; i++) {
    const position = Math.min(cells - 1, Math.max(0, (i + 0.5 - start) * (cells / length) - 0.5));
    low[i] = Math.floor(position);
    high[i] = Math.min(cells - 1, Math.floor(position) + 1);
    fraction[i] = position - Math.floor(position);
  }
  return { low, high, fraction };
}

/**
 * Brings a map to the scale of the thresholds; see `RescalePreset`. A constant map has nothing to stretch: its value is
 * kept (clamped to [-1, 1]), so that a map of ones still marks everything.
 */
export function rescale(map: Grid, preset: RescalePreset): Grid {
  if (preset === 'paper-cosine') return map;
  const [low, high] = extent(map);
  const stretch =
    high > low
      ? (value: number) => (2 * (value - low)) / (high - low) - 1
      : (value: number) => Math.min(1, Math.max(-1, value));
  return { width: map.width, height: map.height, data: map.data.map(stretch) };
}

/** Smallest and largest value. */
export function extent({ data }: Grid): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of data) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** Throws a TypeError naming the sizes when a grid is empty or its data don't fit its width and height. */
export function checkGrid(grid: Grid): void {
  if (!(grid.width >= 1) || !(grid.height >= 1) || grid.data.length !== grid.width * grid.height) {
    throw new TypeError(
      `A ${grid.width}x${grid.height} grid needs ${grid.width * grid.height} values and at least one, got ${grid.data.length}.`,
    );
  }
}
