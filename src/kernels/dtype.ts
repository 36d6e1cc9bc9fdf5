import { ShapeError } from '../gpu/errors.ts';

/** Element types of arrays. `bool` is stored as u32 with 0 or 1. */
export type DType = 'f32' | 'i32' | 'u32' | 'bool';

export type TypedArray = Float32Array | Int32Array | Uint32Array;

/** Bytes of one element; every dtype is four bytes wide on the GPU. */
export const elementBytes = 4;

export function typedArrayOf(dtype: DType, buffer: ArrayBuffer): TypedArray {
  if (dtype === 'f32') return new Float32Array(buffer);
  if (dtype === 'i32') return new Int32Array(buffer);
  return new Uint32Array(buffer);
}

/** Converts host numbers to the typed array of a dtype. */
export function toTypedArray(dtype: DType, values: ArrayLike<number>): TypedArray {
  if (dtype === 'f32') return values instanceof Float32Array ? values : Float32Array.from(values);
  if (dtype === 'i32') return values instanceof Int32Array ? values : Int32Array.from(values);
  if (dtype === 'bool') return Uint32Array.from(values, (value) => (value ? 1 : 0));
  return values instanceof Uint32Array ? values : Uint32Array.from(values);
}

/** @throws ShapeError unless the elements are f32, which arithmetic kernels need. */
export function requireF32(what: string, ...arrays: readonly { readonly dtype: DType }[]): void {
  for (const { dtype } of arrays) {
    if (dtype !== 'f32') throw new ShapeError(`${what}: got a tensor of dtype ${dtype}; expected f32.`);
  }
}
