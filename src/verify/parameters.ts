import { hashUniform } from './hash.ts';
import type { StoredTensor } from './storedTensor.ts';

const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** How uniform numbers become the values of a parameter: `offset + factor * u`. */
function scaleOf(name: string, shape: readonly number[]): { readonly offset: number; readonly factor: number } {
  if (name.endsWith('.running_mean')) return { offset: 0, factor: 0.125 };
  if (name.endsWith('.running_var')) return { offset: 1, factor: 0.5 };
  if (name.endsWith('_embeddings.weight')) return { offset: 0, factor: 0.0625 };
  if (name.endsWith('bias')) return { offset: 0, factor: 0.125 };
  if (shape.length === 1) {
    // Small residual branches keep the float32 gradients of deep networks well conditioned.
    return /(^|\.)bn3\.weight$/.test(name) ? { offset: 0.25, factor: 0.0625 } : { offset: 1, factor: 0.25 };
  }
  const fanIn = size(shape.slice(1));
  return { offset: 0, factor: Math.fround(Math.sqrt(3 / fanIn)) };
}

/**
 * Values of a parameter or buffer that the fixtures generate, from the stream of its name.
 * @param shape published shape: `[out, in, height, width]` for convolutions.
 */
export function generatedParameter(name: string, shape: readonly number[], seed: number): StoredTensor {
  const { offset, factor } = scaleOf(name, shape);
  const data = hashUniform(name, seed, size(shape));
  // The product is rounded to float32 before the sum is.
  for (let i = 0; i < data.length; i++) data[i] = offset + Math.fround((data[i] ?? 0) * factor);
  return { dtype: 'f32', shape, data };
}
