import { interpolateCividis, interpolateInferno, interpolateViridis } from 'd3-scale-chromatic';
import type { GrayImage, Mask } from '../data/types.ts';
import { captionHeight, drawText, type TextLine, wrapText } from './caption.ts';
import { extent, type Grid, resizeBilinear } from './maps.ts';
import { RESEARCH_NOTICE } from './notice.ts';
import { contourRings, maskRings, type Ring } from './regions.ts';

/** Pixels for a PNG or a canvas. */
export interface RgbaImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 4;
  /** `[height, width, 4]`, row-major, 0 to 255. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/**
 * Colour scales of heat maps, perceptually uniform and safe for the colour-blind: inferno from black over red to yellow,
 * viridis from violet over green to yellow, cividis from blue to yellow (the same with and without red-green blindness).
 */
export type ColorScale = 'inferno' | 'viridis' | 'cividis';

const interpolators: Readonly<Record<ColorScale, (level: number) => string>> = {
  inferno: interpolateInferno,
  viridis: interpolateViridis,
  cividis: interpolateCividis,
};

/** The names of the colour scales, the default first. */
export const COLOR_SCALES = Object.keys(interpolators) as readonly ColorScale[];

/** What `renderOverlay` draws over the image. */
export interface OverlayOptions {
  /** Heat map over the same field of view as the image, at any resolution. */
  readonly map?: Grid;
  /** Values drawn without and with full colour. Default: the map's minimum and maximum. */
  readonly range?: readonly [number, number];
  /** Levels of the map that get a contour (the predicted region). Default none. */
  readonly contours?: readonly number[];
  /** Ground truth, drawn as a dashed outline. */
  readonly mask?: Mask;
  /** Default `inferno`. */
  readonly colors?: ColorScale;
  /** Opacity of the heat map where it is largest. Default 0.6. */
  readonly opacity?: number;
  /** Longest side of the picture in pixels, without the caption. Default: the image's own, at least 384. */
  readonly longestSide?: number;
  /** Text under the picture, followed by the research notice. A picture that stands alone should have one. */
  readonly caption?: string;
}

const PREDICTION: Rgb = [64, 224, 255];
const GROUND_TRUTH: Rgb = [124, 252, 96];

/** Draws a heat map, its contours and the outline of the ground truth over an image. */
export function renderOverlay(image: GrayImage, options: OverlayOptions = {}): RgbaImage {
  const longest = Math.max(image.width, image.height);
  const scale = (options.longestSide ?? Math.max(384, longest)) / longest;
  const width = Math.max(1, Math.round(image.width * scale));
  const height = Math.max(1, Math.round(image.height * scale));
  const textScale = Math.max(1, Math.round(width / 330));
  const lines: TextLine[] = [];
  if (options.caption !== undefined) {
    const text = wrapText(options.caption, width - 4 * textScale, textScale);
    lines.push(...text.map((line): TextLine => ({ text: line, color: [235, 235, 235] })));
    const notice = wrapText(RESEARCH_NOTICE, width - 4 * textScale, textScale);
    lines.push(...notice.map((line): TextLine => ({ text: line, color: [255, 190, 90] })));
  }
  const total = height + captionHeight(lines.length, textScale);
  const data = new Uint8ClampedArray(width * total * 4);
  const picture: RgbaImage = { width, height: total, channels: 4, data };
  for (let i = 3; i < data.length; i += 4) data[i] = 255;

  const size = { width, height };
  const grey = resizeBilinear(image, size).data;
  const heat = options.map && resizeBilinear(options.map, size);
  const [low, high] = options.range ?? (heat ? extent(heat) : [0, 1]);
  const colors = colorsOf(options.colors ?? 'inferno');
  for (let i = 0; i < grey.length; i++) {
    const base = 255 * (grey[i] ?? 0);
    const level = heat && high > low ? Math.min(1, Math.max(0, ((heat.data[i] ?? low) - low) / (high - low))) : 0;
    // Opacity grows with the value from a fifth on, so that the image stays readable where the model sees nothing.
    const alpha = (options.opacity ?? 0.6) * Math.min(1, Math.max(0, (level - 0.2) / 0.6));
    const color = colors[Math.round(level * 255)] ?? [0, 0, 0];
    for (let c = 0; c < 3; c++) data[4 * i + c] = base * (1 - alpha) + (color[c] ?? 0) * alpha;
  }
  if (heat) {
    for (const level of options.contours ?? []) drawRings(picture, height, contourRings(heat, level), PREDICTION, []);
  }
  if (options.mask) {
    const { mask } = options;
    const rings = maskRings(mask).map((ring) =>
      ring.map(([x, y]) => [(x * width) / mask.width, (y * height) / mask.height] as const),
    );
    drawRings(picture, height, rings, GROUND_TRUTH, [10, 5]);
  }
  drawText(picture, lines, height, textScale);
  return picture;
}

export type Rgb = readonly [number, number, number];

const tables = new Map<ColorScale, readonly Rgb[]>();

/** 256 colours from the lowest value to the highest, each red, green and blue from 0 to 255. */
export function colorsOf(name: ColorScale): readonly Rgb[] {
  const known = tables.get(name);
  if (known) return known;
  const table = Array.from({ length: 256 }, (_, i) => toRgb(interpolators[name](i / 255)));
  tables.set(name, table);
  return table;
}

function toRgb(color: string): Rgb {
  const numbers = color.startsWith('#')
    ? [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16))
    : (color.match(/\d+/g) ?? []).map(Number);
  const [red = 0, green = 0, blue = 0] = numbers;
  return [red, green, blue];
}

/** Antialiased lines with a dark edge, so that they stand out on light and dark ground. `dash`: on and off lengths. */
function drawRings(picture: RgbaImage, height: number, rings: readonly Ring[], color: Rgb, dash: readonly number[]) {
  const { width } = picture;
  const thickness = Math.max(1.6, width / 260);
  const distance = new Float32Array(width * height).fill(Number.POSITIVE_INFINITY);
  const reach = thickness / 2 + 2;
  const period = dash.reduce((a, b) => a + b, 0) * thickness;
  for (const ring of rings) {
    let travelled = 0;
    for (let k = 1; k < ring.length; k++) {
      const [x0, y0] = ring[k - 1] ?? [0, 0];
      const [x1, y1] = ring[k] ?? [0, 0];
      const length = Math.hypot(x1 - x0, y1 - y0);
      for (
        let y = Math.max(0, Math.floor(Math.min(y0, y1) - reach));
        y < Math.min(height, Math.max(y0, y1) + reach);
        y++
      ) {
        for (
          let x = Math.max(0, Math.floor(Math.min(x0, x1) - reach));
          x < Math.min(width, Math.max(x0, x1) + reach);
          x++
        ) {
          const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
          const along = length === 0 ? 0 : Math.min(1, Math.max(0, (px * (x1 - x0) + py * (y1 - y0)) / length ** 2));
          const away = Math.hypot(px - along * (x1 - x0), py - along * (y1 - y0));
          if (period > 0 && (travelled + along * length) % period > (dash[0] ?? 0) * thickness) continue;
          const at = y * width + x;
          if (away < (distance[at] ?? 0)) distance[at] = away;
        }
      }
      travelled += length;
    }
  }
  const coverage = (away: number, halfWidth: number) => Math.min(1, Math.max(0, halfWidth + 0.5 - away));
  for (let at = 0; at < distance.length; at++) {
    const away = distance[at] ?? Number.POSITIVE_INFINITY;
    if (away > reach) continue;
    const edge = 0.55 * coverage(away, thickness / 2 + 1);
    const core = coverage(away, thickness / 2);
    for (let c = 0; c < 3; c++) {
      const darkened = (picture.data[4 * at + c] ?? 0) * (1 - edge);
      picture.data[4 * at + c] = darkened * (1 - core) + (color[c] ?? 0) * core;
    }
  }
}
