import type { HostTensor } from './compare.ts';
import { probedIndices } from './hash.ts';

/** Square root of the sum of squares, in double precision. */
export function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] ?? 0) ** 2;
  return Math.sqrt(sum);
}

/** Inner product in double precision. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** What stands for a large tensor: mean, root mean square, largest absolute value and 16 of its elements. */
export function checksum({ data }: HostTensor): number[] {
  let [sum, largest] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const value = data[i] ?? 0;
    sum += value;
    // Unlike a comparison, Math.max keeps a NaN.
    largest = Math.max(largest, Math.abs(value));
  }
  const sampled = probedIndices('checksum', 16, data.length).map((index) => data[index] ?? Number.NaN);
  return [sum / data.length, norm(data) / Math.sqrt(data.length), largest, ...sampled];
}
