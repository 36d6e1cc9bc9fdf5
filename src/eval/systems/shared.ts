/** What the localizers of published systems have in common. */
import { noGrad } from '../../autograd/tape.ts';
import { type Tensor, tensor } from '../../autograd/tensor.ts';
import type { Box } from '../../data/types.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { NDArray } from '../../kernels/ndarray.ts';
import type { Localization } from '../localizer.ts';

/** i32 `[1, tokens]`, for ids, masks and units. */
export function tokenRow(gpu: Gpu, values: readonly number[]): Tensor {
  return tensor(gpu, values, [1, values.length], { dtype: 'i32' });
}

/** Runs a text tower on one text and reads its result; `encode` gets ids and mask `[1, tokens]`. */
export async function encodeText(
  gpu: Gpu,
  ids: readonly number[],
  encode: (ids: Tensor, mask: Tensor) => Tensor,
): Promise<Float32Array> {
  const ones = ids.map(() => 1);
  const result = gpu.scope(() => noGrad(() => encode(tokenRow(gpu, ids), tokenRow(gpu, ones))));
  const values = (await result.data()) as Float32Array;
  result.dispose();
  return values;
}

/** Keeps the result of each text: evaluation asks for the same phrases again and again. */
export function remembered(embed: (phrase: string) => Promise<Float32Array>): typeof embed {
  const known = new Map<string, Float32Array>();
  return async (phrase) => {
    const values = known.get(phrase) ?? (await embed(phrase));
    known.set(phrase, values);
    return values;
  };
}

/** Reads and frees maps `[size * size]`. */
export async function readMaps(maps: readonly NDArray[], size: number, frame: Box): Promise<Localization[]> {
  const results: Localization[] = [];
  for (const map of maps) {
    results.push({ grid: { width: size, height: size, data: (await map.read()) as Float32Array }, frame });
    map.dispose();
  }
  return results;
}
