/**
 * The few functions that images are drawn and turned with. `Math.sin` and its kin may differ in the last bit between
 * engines; these use only operations that IEEE 754 rounds exactly, so that every engine draws the same pixels.
 */
import { hash32 } from './random.ts';

const TWO_PI = 6.283185307179586;

/** Sine of radians by range reduction to [-pi, pi] and the Taylor series to x^19: error below 1e-10. */
export function sin(radians: number): number {
  const x = radians - TWO_PI * Math.round(radians / TWO_PI);
  const square = x * x;
  let term = x;
  let sum = x;
  for (let k = 1; k <= 11; k++) {
    term *= -square / (2 * k * (2 * k + 1));
    sum += term;
  }
  return sum;
}

export function cos(radians: number): number {
  return sin(radians + TWO_PI / 4);
}

export function clamp01(x: number): number {
  return Math.min(Math.max(x, 0), 1);
}

export function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

/** 0 below `low`, 1 above `high`, a cubic step between. */
export function smoothstep(low: number, high: number, x: number): number {
  const t = clamp01((x - low) / (high - low));
  return t * t * (3 - 2 * t);
}

/** Smooth value noise in [0, 1] with one lattice cell per unit of x and y. */
export function valueNoise(key: number, x: number, y: number): number {
  const ix = Math.floor(x);
  const iy = Math.floor(y);
  const fx = x - ix;
  const fy = y - iy;
  const u = fx * fx * (3 - 2 * fx);
  const v = fy * fy * (3 - 2 * fy);
  const top = mix(lattice(key, ix, iy), lattice(key, ix + 1, iy), u);
  const bottom = mix(lattice(key, ix, iy + 1), lattice(key, ix + 1, iy + 1), u);
  return mix(top, bottom, v);
}

function lattice(key: number, ix: number, iy: number): number {
  return hash32(key + Math.imul(ix, 0x9e3779b1) + Math.imul(iy, 0x85ebca6b)) / 0x1_0000_0000;
}
