import { ShapeError } from '../gpu/errors.ts';

/** Element types of arrays. `bool` is stored as u32 with 0 or 1; `f16` needs the device feature `shader-f16`. */
export type DType = 'f32' | 'f16' | 'i32' | 'u32' | 'bool';

export type TypedArray = Float32Array | Int32Array | Uint32Array;

/** Bytes of one element on the GPU. */
export function elementBytes(dtype: DType): number {
  return dtype === 'f16' ? 2 : 4;
}

/** The value of IEEE 754 binary16 bits. */
function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** IEEE 754 binary16 bits of the nearest value, ties to even; infinity beyond 65,504. */
function halfBits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const exact = size * 2 ** (10 - exponent);
  const down = Math.floor(exact);
  const isUp = exact - down > 0.5 || (exact - down === 0.5 && down % 2 === 1);
  // 1024 is the leading bit, which is not stored; rounding up to 2048 carries into the exponent.
  return sign | (((exponent + 15) << 10) + down + (isUp ? 1 : 0) - 1024);
}

/** Elements as they lie on the GPU; f16 is widened to f32. */
export function typedArrayOf(dtype: DType, buffer: ArrayBuffer): TypedArray {
  if (dtype === 'f16') return Float32Array.from(new Uint16Array(buffer), halfValue);
  if (dtype === 'f32') return new Float32Array(buffer);
  if (dtype === 'i32') return new Int32Array(buffer);
  return new Uint32Array(buffer);
}

/** Converts host numbers to the typed array of a dtype; an odd number of f16 is filled up to whole words. */
export function toTypedArray(dtype: DType, values: ArrayLike<number>): TypedArray | Uint16Array {
  if (dtype === 'f16') {
    const halves = new Uint16Array(2 * Math.ceil(values.length / 2));
    halves.set(Array.from(values, halfBits));
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
