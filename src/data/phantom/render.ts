/** Draws a phantom chest and the masks of its lesions at any size. */

import { clamp01, mix, smoothstep, valueNoise } from '../elementary.ts';
import { createRandom } from '../random.ts';
import type { GrayImage, Mask } from '../types.ts';
import {
  type Anatomy,
  ellipseAlpha,
  hilum,
  imageToCanonical,
  lungAlpha,
  outwardSign,
  type Pose,
  type Vessel,
} from './anatomy.ts';
import { insideLungs, type Lesion, type Severity } from './lesions.ts';

/** Everything an image is drawn from. */
export interface Scene {
  readonly anatomy: Anatomy;
  readonly pose: Pose;
  readonly lesions: readonly Lesion[];
  readonly noiseSeed: number;
}

const AMPLITUDE: Readonly<Record<Lesion['category'], number>> = {
  pneumonia: 0.3,
  consolidation: 0.4,
  'lung opacity': 0.24,
  atelectasis: 0.32,
  'pleural effusion': 0.42,
  pneumothorax: -0.17,
  edema: 0.26,
  cardiomegaly: 0.4,
  'covid-like': 0.3,
};
const DENSITY: Readonly<Record<Severity, number>> = { mild: 0.7, moderate: 0.85, severe: 1 };

/** `[size, size]` radiograph; values in [0, 1], bone and fluid bright, air dark. */
export function renderImage(scene: Scene, size: number): GrayImage {
  const { anatomy, pose } = scene;
  const noise = createRandom(scene.noiseSeed);
  const data = new Float32Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const [x, y] = imageToCanonical(pose, (column + 0.5) / size, (row + 0.5) / size);
      const density = tone(anatomy, chestDensity(anatomy, scene.lesions, x, y));
      // The sum of four 16-bit uniforms is near enough to the normal noise of a detector.
      const a = noise.uint32();
      const b = noise.uint32();
      const grain = ((a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16)) / 65536 - 2;
      data[row * size + column] = clamp01(density + anatomy.tone.noise * grain * 1.73);
    }
  }
  return { width: size, height: size, data };
}

/** `[size, size]` mask of one lesion: alpha above 0.4, inside the lung except for the heart. */
export function renderMask(scene: Scene, lesion: Lesion, size: number): Mask {
  const data = new Uint8Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const [x, y] = imageToCanonical(scene.pose, (column + 0.5) / size, (row + 0.5) / size);
      if (lesion.alpha(x, y) <= 0.4) continue;
      if (lesion.wholeChest || insideLungs(scene.anatomy, x, y) > 0.5) data[row * size + column] = 1;
    }
  }
  return { width: size, height: size, data };
}

function tone(anatomy: Anatomy, density: number): number {
  const { gain, offset, gamma } = anatomy.tone;
  const x = clamp01(density * gain + offset);
  // Schlick's bias curve: a gamma that needs no logarithm.
  return x / ((1 / gamma - 2) * (1 - x) + 1);
}

function chestDensity(anatomy: Anatomy, lesions: readonly Lesion[], x: number, y: number): number {
  const body = Math.max(
    ellipseAlpha(anatomy.body, x, y, 0.035),
    smoothstep(0.012, -0.012, Math.abs(x - 0.5) - anatomy.neckWidth) * smoothstep(0.3, 0.2, y),
  );
  if (body === 0) return 0.03;
  const key = anatomy.textureKey;
  const coarse = valueNoise(key, x * 4, y * 4) - 0.5;
  const fine = valueNoise(key + 1, x * 18, y * 18) - 0.5;
  const right = lungAlpha(anatomy.lungs.right, x, y);
  const left = lungAlpha(anatomy.lungs.left, x, y);
  const lung = Math.max(right, left);
  const middle = x - 0.5 - anatomy.spineBend * (y - 0.5) * 4 * (1 - y);
  const distance = Math.abs(middle);

  let density = 0.56 + 0.1 * coarse + 0.03 * fine + 0.08 * smoothstep(0.6, 0.95, y);
  density -= 0.1 * smoothstep(0.3, 0.46, distance);
  const side = x < 0.5 ? 'right' : 'left';
  let air = 0.22 + 0.05 * coarse + 0.035 * fine;
  // Deflated air spaces towards the base and vessels around the hilum make the lung brighter there.
  air += 0.06 * smoothstep(0.35, 0.75, y);
  if (lung > 0) air += 0.2 * vesselDensity(anatomy.vessels[side], side, x, y);

  let collapse = 0;
  for (const lesion of lesions) {
    if (lesion.wholeChest) continue;
    const alpha = lesion.alpha(x, y);
    const strength = AMPLITUDE[lesion.category] * DENSITY[lesion.severity];
    if (lesion.category === 'pneumothorax') {
      collapse = Math.max(collapse, alpha);
      air = mix(air, 0.22 + strength, alpha);
      if (lesion.edgeLine) air += 0.16 * lesion.edgeLine(x, y);
    } else {
      air += strength * alpha;
    }
  }
  density = mix(density, Math.min(air, 0.86), lung);

  density += 0.2 * smoothstep(0.075, 0.045, distance) * smoothstep(0.05, 0.2, y) * (1 - 0.5 * lung);
  const heart = heartAlpha(anatomy, lesions, x, y);
  density = mix(density, 0.76 + 0.05 * coarse, heart * 0.9);
  const [ax, ay] = [0.5 + 0.05, 0.35];
  const aorta = Math.sqrt((x - ax) * (x - ax) + (y - ay) * (y - ay));
  density = mix(density, 0.72, 0.8 * smoothstep(anatomy.aortaRadius, anatomy.aortaRadius * 0.75, aorta));

  // Vertebrae, windpipe, ribs, collar bones, stomach bubble.
  const vertebra = 0.75 + 0.25 * smoothstep(0.1, 0.25, Math.abs(y * 14 - Math.floor(y * 14) - 0.5) * 2);
  density += 0.1 * smoothstep(0.042, 0.026, distance) * vertebra;
  density -= 0.13 * smoothstep(0.024, 0.014, distance) * smoothstep(0.44, 0.38, y);
  density += anatomy.ribs.contrast * ribDensity(anatomy, distance, y) * (1 - 0.35 * heart);
  const collarbone = Math.abs(y - (0.185 - 0.2 * (distance - 0.04) + 0.12 * distance * distance));
  density +=
    0.12 * smoothstep(0.02, 0.009, collarbone) * smoothstep(0.035, 0.055, distance) * smoothstep(0.4, 0.36, distance);
  if (anatomy.stomachBubble > 0) {
    const d = Math.sqrt((x - 0.66) * (x - 0.66) + (y - 0.84) * (y - 0.84) * 1.8);
    density -= 0.22 * smoothstep(anatomy.stomachBubble, anatomy.stomachBubble * 0.6, d);
  }
  return mix(0.03, density, body);
}

function heartAlpha(anatomy: Anatomy, lesions: readonly Lesion[], x: number, y: number): number {
  let alpha = ellipseAlpha(anatomy.heart, x, y, 0.1);
  for (const lesion of lesions) if (lesion.category === 'cardiomegaly') alpha = Math.max(alpha, lesion.alpha(x, y));
  return alpha;
}

/** Nine pairs of arched ribs; 1 on the crest. */
function ribDensity(anatomy: Anatomy, distance: number, y: number): number {
  if (distance > 0.42) return 0;
  const { top, spacing, arch } = anatomy.ribs;
  const t = (y - top + 0.35 * distance - arch * distance * distance) / spacing;
  const rib = Math.round(t);
  if (rib < 0 || rib > 8) return 0;
  return smoothstep(0.3, 0.12, Math.abs(t - rib)) * smoothstep(0.04, 0.07, distance) * smoothstep(0.42, 0.38, distance);
}

function vesselDensity(vessels: readonly Vessel[], side: 'left' | 'right', x: number, y: number): number {
  const [hx, hy] = hilum(side);
  const dx = (x - hx - outwardSign(side) * 0.005) / 0.05;
  const dy = (y - hy) / 0.08;
  let most = 0.8 * smoothstep(1, 0.1, dx * dx + dy * dy);
  for (const v of vessels) {
    const vx = v.x1 - v.x0;
    const vy = v.y1 - v.y0;
    const t = clamp01(((x - v.x0) * vx + (y - v.y0) * vy) / (vx * vx + vy * vy));
    const ex = x - v.x0 - t * vx;
    const ey = y - v.y0 - t * vy;
    const width = v.width * (1 - 0.65 * t);
    const square = ex * ex + ey * ey;
    if (square < width * width) most = Math.max(most, (1 - 0.55 * t) * (1 - square / (width * width)));
  }
  return most;
}
