import type { SampledResult } from './protocol.ts';

/**
 * Compares results with the reference: every one has to be there, of the right length, and no element may be further
 * from the reference than `tolerance` times the largest value of that result.
 * @returns the largest difference as such a share, and a sentence if it does not pass.
 */
export function checkResults(
  actual: Readonly<Record<string, SampledResult>>,
  expected: Readonly<Record<string, SampledResult>>,
  tolerance: number,
): { readonly error: number; readonly failure?: string } {
  let worst = 0;
  for (const [name, reference] of Object.entries(expected)) {
    const found = actual[name];
    if (!found) return { error: Number.NaN, failure: `The result "${name}" is missing.` };
    if (found.length !== reference.length || found.samples.length !== reference.samples.length) {
      const failure = `The result "${name}" has ${found.length} elements, expected ${reference.length}.`;
      return { error: Number.NaN, failure };
    }
    let largest = Number.MIN_VALUE;
    for (let i = 0; i < reference.samples.length; i++) largest = Math.max(largest, Math.abs(reference.samples[i] ?? 0));
    for (let i = 0; i < reference.samples.length; i++) {
      const error = Math.abs((found.samples[i] ?? Number.NaN) - (reference.samples[i] ?? 0)) / largest;
      if (error <= tolerance) {
        worst = Math.max(worst, error);
        continue;
      }
      const failure = `The result "${name}" is wrong: sample ${i} is ${found.samples[i]}, expected ${reference.samples[i]} (tolerance ${tolerance} of the largest value).`;
      return { error, failure };
    }
  }
  return { error: worst };
}
