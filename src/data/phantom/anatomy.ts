/**
 * The healthy part of a phantom chest: shapes in canonical coordinates, where the image is the unit square, x runs to
 * the right, y runs down, and the midline is x = 0.5. As on a radiograph, the image's left half is the PATIENT'S RIGHT.
 */

import { cos, sin, smoothstep } from '../elementary.ts';
import type { Random } from '../random.ts';

export type BodySide = 'left' | 'right';

/** An ellipse; `flare` widens it towards its lower end. */
export interface Ellipse {
  readonly cx: number;
  readonly cy: number;
  readonly rx: number;
  readonly ry: number;
  readonly sin: number;
  readonly cos: number;
  readonly flare: number;
}

export interface Lung {
  readonly side: BodySide;
  readonly ellipse: Ellipse;
  /** Highest point of the diaphragm dome and its curvature. */
  readonly domeX: number;
  readonly domeY: number;
  readonly domeCurvature: number;
}

/** A straight vessel from (x0, y0) to (x1, y1), tapering from `width`. */
export interface Vessel {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly width: number;
}

export interface Anatomy {
  readonly body: Ellipse;
  readonly neckWidth: number;
  readonly lungs: Readonly<Record<BodySide, Lung>>;
  readonly heart: Ellipse;
  readonly aortaRadius: number;
  readonly spineBend: number;
  readonly ribs: { readonly top: number; readonly spacing: number; readonly arch: number; readonly contrast: number };
  readonly vessels: Readonly<Record<BodySide, readonly Vessel[]>>;
  readonly stomachBubble: number;
  /** Key of the texture noise. */
  readonly textureKey: number;
  readonly tone: { readonly gain: number; readonly offset: number; readonly gamma: number; readonly noise: number };
}

/** How the patient lies in the frame: canonical point -> image point, both in fractions of the image. */
export interface Pose {
  readonly sin: number;
  readonly cos: number;
  readonly scale: number;
  readonly shiftX: number;
  readonly shiftY: number;
}

const DEGREE = 6.283185307179586 / 360;

export function ellipse(cx: number, cy: number, rx: number, ry: number, degrees = 0, flare = 0): Ellipse {
  return { cx, cy, rx, ry, sin: sin(degrees * DEGREE), cos: cos(degrees * DEGREE), flare };
}

/** Rotation up to 7 degrees, scale up to 12 %, shift up to 8 %: without it the place of a finding follows from its name. */
export function samplePose(random: Random): Pose {
  const angle = random.uniform(-7, 7) * DEGREE;
  return {
    sin: sin(angle),
    cos: cos(angle),
    scale: random.uniform(0.88, 1.12),
    shiftX: random.uniform(-0.08, 0.08),
    shiftY: random.uniform(-0.08, 0.08),
  };
}

export function canonicalToImage(pose: Pose, x: number, y: number): readonly [number, number] {
  const dx = (x - 0.5) * pose.scale;
  const dy = (y - 0.5) * pose.scale;
  return [0.5 + pose.shiftX + pose.cos * dx - pose.sin * dy, 0.5 + pose.shiftY + pose.sin * dx + pose.cos * dy];
}

export function imageToCanonical(pose: Pose, x: number, y: number): readonly [number, number] {
  const dx = (x - 0.5 - pose.shiftX) / pose.scale;
  const dy = (y - 0.5 - pose.shiftY) / pose.scale;
  return [0.5 + pose.cos * dx + pose.sin * dy, 0.5 - pose.sin * dx + pose.cos * dy];
}

export function sampleAnatomy(random: Random): Anatomy {
  const lungs = { right: sampleLung(random, 'right'), left: sampleLung(random, 'left') };
  return {
    body: ellipse(0.5, random.uniform(0.62, 0.67), random.uniform(0.43, 0.49), random.uniform(0.6, 0.68)),
    neckWidth: random.uniform(0.1, 0.14),
    lungs,
    heart: ellipse(
      random.uniform(0.53, 0.555),
      random.uniform(0.62, 0.65),
      random.uniform(0.118, 0.138),
      random.uniform(0.098, 0.115),
      random.uniform(15, 35),
    ),
    aortaRadius: random.uniform(0.035, 0.05),
    spineBend: random.uniform(-0.015, 0.015),
    ribs: {
      top: random.uniform(0.13, 0.17),
      spacing: random.uniform(0.07, 0.08),
      arch: random.uniform(1.1, 1.7),
      contrast: random.uniform(0.05, 0.09),
    },
    vessels: { right: sampleVessels(random, lungs.right), left: sampleVessels(random, lungs.left) },
    stomachBubble: random.chance(0.5) ? random.uniform(0.025, 0.045) : 0,
    textureKey: random.uint32(),
    tone: {
      gain: random.uniform(0.85, 1.1),
      offset: random.uniform(-0.04, 0.05),
      gamma: random.uniform(0.42, 0.58),
      noise: random.uniform(0.012, 0.03),
    },
  };
}

function sampleLung(random: Random, side: BodySide): Lung {
  const outward = outwardSign(side);
  const cx = 0.5 + outward * random.uniform(0.188, 0.212);
  return {
    side,
    ellipse: ellipse(
      cx,
      random.uniform(0.45, 0.48),
      random.uniform(0.145, 0.168),
      random.uniform(0.31, 0.345),
      -outward * random.uniform(3, 8),
      random.uniform(0.12, 0.2),
    ),
    domeX: cx - outward * 0.02,
    domeY: random.uniform(0.69, 0.73) + (side === 'left' ? 0.02 : 0),
    domeCurvature: random.uniform(1.6, 2.6),
  };
}

/** +1 where "lateral" means a larger x (patient's left), -1 for the patient's right. */
export function outwardSign(side: BodySide): 1 | -1 {
  return side === 'left' ? 1 : -1;
}

/** Where the bronchi and vessels enter the lung. */
export function hilum(side: BodySide): readonly [number, number] {
  return [0.5 + outwardSign(side) * 0.085, side === 'left' ? 0.455 : 0.475];
}

function sampleVessels(random: Random, lung: Lung): Vessel[] {
  const [x0, y0] = hilum(lung.side);
  const outward = outwardSign(lung.side);
  const count = random.int(5, 8);
  const vessels: Vessel[] = [];
  for (let i = 0; i < count; i++) {
    // Fanned from upwards to downwards on the lateral side.
    const angle = (-70 + (145 * i) / (count - 1) + random.uniform(-8, 8)) * DEGREE;
    const length = random.uniform(0.12, 0.22);
    vessels.push({
      x0,
      y0,
      x1: x0 + outward * cos(angle) * length * 0.75,
      y1: y0 + sin(angle) * length * 1.15,
      width: random.uniform(0.012, 0.018),
    });
  }
  return vessels;
}

/** Distance from the centre in radii: 1 on the edge of the ellipse. */
export function ellipseRadius(e: Ellipse, x: number, y: number): number {
  const dx = x - e.cx;
  const dy = y - e.cy;
  const v = (-e.sin * dx + e.cos * dy) / e.ry;
  const u = (e.cos * dx + e.sin * dy) / (e.rx * (1 + e.flare * v));
  return Math.sqrt(u * u + v * v);
}

/** Point of the lung at `lateral` (-1 at the mediastinum, 1 at the chest wall) and `down` (-1 apex, 1 ellipse bottom). */
export function lungPoint(lung: Lung, lateral: number, down: number): readonly [number, number] {
  const e = lung.ellipse;
  const u = outwardSign(lung.side) * lateral * e.rx * (1 + e.flare * down);
  const v = down * e.ry;
  return [e.cx + e.cos * u - e.sin * v, e.cy + e.sin * u + e.cos * v];
}

/** Height of the diaphragm under the lung at x. */
export function domeHeight(lung: Lung, x: number): number {
  const dx = x - lung.domeX;
  return lung.domeY + lung.domeCurvature * dx * dx;
}

/** 1 inside the lung, 0 outside, soft over about 2 % of the image. */
export function lungAlpha(lung: Lung, x: number, y: number): number {
  const inEllipse = smoothstep(-0.045, 0.045, 1 - ellipseRadius(lung.ellipse, x, y));
  if (inEllipse === 0) return 0;
  return inEllipse * smoothstep(-0.008, 0.008, domeHeight(lung, x) - y);
}

/** 1 inside an ellipse with a soft edge of the given relative width. */
export function ellipseAlpha(e: Ellipse, x: number, y: number, softness: number): number {
  return smoothstep(-softness, softness, 1 - ellipseRadius(e, x, y));
}
