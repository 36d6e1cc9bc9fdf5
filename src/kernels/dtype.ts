import { ShapeError } from '../gpu/errors.ts';
import { float16ToFloat32, float32ToFloat16 } from '../io/halfFloat.ts';

/** Element types of arrays. `bool` is stored as u32 with 0 or 1; `f16` needs the device feature `shader-f16`. */
export type DType = 'f32' | 'f16' | 'i32' | 'u32' | 'bool';

/** Host values of an array: f32 and f16 as `Float32Array`, bool as `Uint32Array` with 0 or 1. */
export type TypedArray = Float32Array | Int32Array | Uint32Array;

/** Bytes of one element on the GPU. */
export function elementBytes(dtype: DType): number {
  return dtype === 'f16' ? 2 : 4;
}

/** Elements as they lie on the GPU; f16 is widened to f32. */
export function typedArrayOf(dtype: DType, buffer: ArrayBuffer): TypedArray {
  if (dtype === 'f16') return float16ToFloat32(new Uint16Array(buffer));
  if (dtype === 'f32') return new Float32Array(buffer);
  if (dtype === 'i32') return new Int32Array(buffer);
  return new Uint32Array(buffer);
}

/** Converts host numbers to the typed array of a dtype; an odd number of f16 is filled up to whole words. */
export function toTypedArray(dtype: DType, values: ArrayLike<number>): TypedArray | Uint16Array {
  if (dtype === 'f16') {
    const halves = new Uint16Array(2 * Math.ceil(values.length / 2));
    halves.set(float32ToFloat16(values));
    return halves;
  }
  if (dtype === 'f32') return values instanceof Float32Array ? values : Float32Array.from(values);
  if (dtype === 'i32') return values instanceof Int32Array ? values : Int32Array.from(values);
  if (dtype === 'bool') return Uint32Array.from(values, (value) => (value ? 1 : 0));
  return values instanceof Uint32Array ? values : Uint32Array.from(values);
}

/** @throws ShapeError unless all elements are f32, or all f16. */
export function requireFloat(what: string, ...arrays: readonly { readonly dtype: DType }[]): void {
  const dtypes = new Set(arrays.map(({ dtype }) => dtype));
  const [dtype] = dtypes;
  if (dtypes.size === 1 && (dtype === 'f32' || dtype === 'f16')) return;
  throw new ShapeError(`${what}: got tensors of dtype ${[...dtypes].join(' and ')}; expected f32, or f16 alone.`);
}

/** @throws ShapeError unless the elements are f32, which arithmetic kernels need. */
export function requireF32(what: string, ...arrays: readonly { readonly dtype: DType }[]): void {
  for (const { dtype } of arrays) {
    if (dtype !== 'f32') throw new ShapeError(`${what}: got a tensor of dtype ${dtype}; expected f32.`);
  }
}
