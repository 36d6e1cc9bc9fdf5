/** Findings of the phantom corpus: where they lie, how large they are, and their soft shape `alpha` in [0, 1]. */

import { clamp01, cos, mix, sin, smoothstep, valueNoise } from '../elementary.ts';
import type { Random } from '../random.ts';
import {
  type Anatomy,
  type BodySide,
  type Ellipse,
  ellipse,
  ellipseAlpha,
  ellipseRadius,
  hilum,
  lungAlpha,
  lungPoint,
  outwardSign,
} from './anatomy.ts';

/** The eight MS-CXR classes, all of them in training. */
export const TRAINED_CATEGORIES = [
  'pneumonia',
  'consolidation',
  'lung opacity',
  'atelectasis',
  'pleural effusion',
  'pneumothorax',
  'edema',
  'cardiomegaly',
] as const;
/** Never drawn nor mentioned in the training split. */
export const UNSEEN_CATEGORY = 'covid-like';

export type TrainedCategory = (typeof TRAINED_CATEGORIES)[number];
export type Category = TrainedCategory | typeof UNSEEN_CATEGORY;
export type Side = BodySide | 'both' | 'central';
export type Zone = 'upper' | 'middle' | 'lower' | 'perihilar' | 'peripheral' | 'heart';
export type Size = 'small' | 'medium' | 'large';
export type Severity = 'mild' | 'moderate' | 'severe';

/** What a report can say about a finding. */
export interface Finding {
  readonly category: Category;
  readonly side: Side;
  readonly zone: Zone;
  readonly size: Size;
  readonly severity: Severity;
}

/** A finding with its shape. `alpha` takes canonical coordinates; it is cut to the lungs unless `wholeChest`. */
export interface Lesion extends Finding {
  readonly wholeChest: boolean;
  readonly alpha: (x: number, y: number) => number;
  /** For a pneumothorax: brightness of the visceral pleural line, 0 elsewhere. */
  readonly edgeLine?: (x: number, y: number) => number;
}

const LENGTH_OF_SIZE: Readonly<Record<Size, number>> = { small: 0.74, medium: 1, large: 1.24 };
const SEVERITY_OF_SIZE: Readonly<Record<Size, Severity>> = { small: 'mild', medium: 'moderate', large: 'severe' };
/** Centre of a zone along the lung, see `lungPoint`. */
const DOWN_OF_ZONE: Readonly<Record<'upper' | 'middle' | 'lower', number>> = {
  upper: -0.5,
  middle: -0.02,
  lower: 0.42,
};

export function sampleFinding(random: Random, category: Category, side: BodySide): Finding {
  const size = random.pick(['small', 'medium', 'large'] as const);
  // How dense a patch in the lung is. Of everything else the severity word means the extent.
  const severity = random.pick(['mild', 'moderate', 'severe'] as const);
  switch (category) {
    case 'pneumonia':
    case 'consolidation':
    case 'lung opacity':
      return { category, side, zone: random.pick(['upper', 'middle', 'lower'] as const), size, severity };
    case 'atelectasis':
      return { category, side, zone: random.chance(0.7) ? 'lower' : 'middle', size, severity };
    case 'pleural effusion':
      return { category, side, zone: 'lower', size, severity: SEVERITY_OF_SIZE[size] };
    case 'pneumothorax':
      return { category, side, zone: 'upper', size, severity: SEVERITY_OF_SIZE[size] };
    case 'edema':
      return { category, side: 'both', zone: 'perihilar', size, severity: SEVERITY_OF_SIZE[size] };
    case 'cardiomegaly':
      return { category, side: 'central', zone: 'heart', size, severity: SEVERITY_OF_SIZE[size] };
    case 'covid-like':
      return { category, side: 'both', zone: 'peripheral', size, severity };
  }
}

/** Gives a finding its shape in the chest. */
export function shapeLesion(random: Random, anatomy: Anatomy, finding: Finding): Lesion {
  const length = LENGTH_OF_SIZE[finding.size] * random.uniform(0.93, 1.07);
  const lung = anatomy.lungs[finding.side === 'left' ? 'left' : 'right'];
  const inLung = (alpha: Lesion['alpha'], edgeLine?: Lesion['alpha']): Lesion => ({
    ...finding,
    wholeChest: false,
    alpha: finding.side === 'both' ? alpha : (x, y) => (outwardSign(lung.side) * (x - 0.5) > 0 ? alpha(x, y) : 0),
    ...(edgeLine ? { edgeLine } : {}),
  });
  const place = (): readonly [number, number] => {
    const zone = finding.zone === 'upper' || finding.zone === 'lower' ? finding.zone : 'middle';
    return lungPoint(lung, random.uniform(-0.15, 0.35), DOWN_OF_ZONE[zone] + random.uniform(-0.07, 0.07));
  };
  switch (finding.category) {
    case 'pneumonia': {
      const [x, y] = place();
      return inLung(raggedBlob(random, x, y, 0.099 * length));
    }
    case 'consolidation': {
      const [x, y] = place();
      const shape = ellipse(x, y, 0.093 * length, 0.07 * length, random.uniform(-35, 35));
      return inLung((px, py) => ellipseAlpha(shape, px, py, 0.12));
    }
    case 'lung opacity': {
      const [x, y] = place();
      return inLung(haze(ellipse(x, y, 0.15 * length, 0.14 * length, random.uniform(-40, 40))));
    }
    case 'atelectasis': {
      const [x, y] = place();
      return inLung(bands(random, x, y, length, outwardSign(lung.side)));
    }
    case 'pleural effusion': {
      const depth = 0.185 * length * length;
      return inLung((px, py) => {
        // The meniscus climbs towards the chest wall.
        const lateral = Math.min(1, (outwardSign(lung.side) * (px - lung.ellipse.cx)) / lung.ellipse.rx);
        const level = lung.domeY + 0.035 - depth * (0.8 + 0.25 * lateral + 0.35 * lateral * lateral);
        return smoothstep(-0.012, 0.012, py - level);
      });
    }
    case 'pneumothorax': {
      const gap = 0.175 * length * length;
      const e = lung.ellipse;
      // The collapsed lung: the lung's ellipse drawn towards the hilum and down.
      const inner: Ellipse = {
        ...e,
        cx: e.cx - outwardSign(lung.side) * e.rx * gap * 1.5,
        cy: e.cy + e.ry * gap * 1.25,
        rx: e.rx * (1 - gap * 0.9),
        ry: e.ry * (1 - gap * 0.6),
      };
      const free = (px: number, py: number): number => 1 - ellipseRadius(inner, px, py);
      // Fades towards the base: the air collects at the apex and along the wall.
      const height = (py: number): number => smoothstep(e.cy + 0.3 * e.ry, e.cy + 0.05 * e.ry, py);
      const lateralSide = (px: number, py: number): number => {
        const lateral = (outwardSign(lung.side) * (px - inner.cx)) / inner.rx;
        return smoothstep(-0.55, -0.2, lateral - clamp01((e.cy - py) / e.ry) * 0.6);
      };
      return inLung(
        (px, py) => smoothstep(-0.03, 0.03, -free(px, py)) * height(py) * lateralSide(px, py),
        (px, py) => smoothstep(0.07, 0, Math.abs(free(px, py))) * height(py) * lateralSide(px, py),
      );
    }
    case 'edema': {
      const wings = (['right', 'left'] as const).map((side) => {
        const [hx, hy] = hilum(side);
        const cx = hx + outwardSign(side) * 0.06;
        return haze(ellipse(cx, hy + 0.035, 0.193 * length, 0.226 * length, outwardSign(side) * -10));
      });
      return inLung(union(wings));
    }
    case 'cardiomegaly': {
      const shape = enlargedHeart(anatomy.heart, mix(1.25, 1.38 * length, 0.85));
      return { ...finding, wholeChest: true, alpha: (px, py) => ellipseAlpha(shape, px, py, 0.1) };
    }
    case 'covid-like': {
      const blobs: Lesion['alpha'][] = [];
      for (const side of ['right', 'left'] as const) {
        const count = random.int(2, 4);
        for (let i = 0; i < count; i++) {
          const down = -0.35 + 0.38 * i + random.uniform(-0.15, 0.15);
          const [x, y] = lungPoint(anatomy.lungs[side], random.uniform(0.55, 0.8), down);
          blobs.push(raggedBlob(random, x, y, 0.05 * length));
        }
      }
      return inLung(union(blobs));
    }
  }
}

function enlargedHeart(heart: Ellipse, factor: number): Ellipse {
  return { ...heart, cx: heart.cx + 0.012 * factor, rx: heart.rx * factor * 1.03, ry: heart.ry * (0.3 + 0.7 * factor) };
}

function union(shapes: readonly Lesion['alpha'][]): Lesion['alpha'] {
  return (x, y) => shapes.reduce((most, shape) => Math.max(most, shape(x, y)), 0);
}

/** Peak 1 in the centre, fading to 0 on the ellipse; above 0.4 within 0.61 of its radius. */
function haze(shape: Ellipse): Lesion['alpha'] {
  return (x, y) => {
    const r = ellipseRadius(shape, x, y);
    const rest = r < 1 ? 1 - r * r : 0;
    return rest * rest;
  };
}

/** A patch with a ragged outline and mottled density. */
function raggedBlob(random: Random, cx: number, cy: number, radius: number): Lesion['alpha'] {
  const key = random.uint32();
  const shape = ellipse(
    cx,
    cy,
    radius * random.uniform(0.9, 1.2),
    radius * random.uniform(0.85, 1.1),
    random.uniform(-45, 45),
  );
  return (x, y) => {
    const r = ellipseRadius(shape, x, y);
    if (r > 1.5) return 0;
    const outline = 0.75 * (valueNoise(key, x * 22, y * 22) - 0.5);
    const mottle = 0.62 + 0.38 * valueNoise(key + 1, x * 42, y * 42);
    return smoothstep(-0.18, 0.18, 1 - r + outline) * mottle;
  };
}

/** One or two thin oblique bands. */
function bands(random: Random, cx: number, cy: number, length: number, outward: number): Lesion['alpha'] {
  const count = random.int(1, 3);
  const angle = outward * random.uniform(0.15, 0.6);
  const s = sin(angle);
  const c = cos(angle);
  const half = 0.105 * length;
  const thickness = (count === 1 ? 0.021 : 0.014) * length;
  return (x, y) => {
    const along = c * (x - cx) + s * (y - cy);
    const across = -s * (x - cx) + c * (y - cy);
    const ends = smoothstep(half, half * 0.8, Math.abs(along));
    if (ends === 0) return 0;
    const bend = across - 0.6 * along * along;
    const distance = count === 1 ? Math.abs(bend) : Math.abs(Math.abs(bend) - 0.028);
    return ends * smoothstep(thickness * 1.5, thickness * 0.5, distance);
  };
}

/** The largest lung alpha at a point: lesions of the lung stay inside. */
export function insideLungs(anatomy: Anatomy, x: number, y: number): number {
  return Math.max(lungAlpha(anatomy.lungs.right, x, y), lungAlpha(anatomy.lungs.left, x, y));
}
