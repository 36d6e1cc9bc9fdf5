import type { Shape } from '../kernels/shape.ts';
import type { ParameterLayout } from './module.ts';

/** Shape under which a parameter is published: `[out, in, height, width]` for a convolution stored `[out, height, width, in]`. */
export function publishedShape(shape: Shape, layout: ParameterLayout): number[] {
  if (layout === 'plain') return [...shape];
  const [out = 1, height = 1, width = 1, channels = 1] = shape;
  return [out, channels, height, width];
}

function transposeInner(values: ArrayLike<number>, outer: number, rows: number, cols: number): Float32Array {
  const result = new Float32Array(outer * rows * cols);
  for (let o = 0; o < outer; o++) {
    const base = o * rows * cols;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < cols; c++) result[base + c * rows + r] = values[base + r * cols + c] ?? 0;
    }
  }
  return result;
}

/** Values in the published order from values in the stored order; `shape` is the stored shape. */
export function toPublished(values: Float32Array, shape: Shape, layout: ParameterLayout): Float32Array {
  const [out = 1, height = 1, width = 1, channels = 1] = shape;
  return layout === 'plain' ? values : transposeInner(values, out, height * width, channels);
}

/** Values in the stored order from values in the published order; `shape` is the stored shape. */
export function fromPublished(values: ArrayLike<number>, shape: Shape, layout: ParameterLayout): Float32Array {
  const [out = 1, height = 1, width = 1, channels = 1] = shape;
  if (layout === 'convolution') return transposeInner(values, out, channels, height * width);
  return values instanceof Float32Array ? values : Float32Array.from(values);
}
