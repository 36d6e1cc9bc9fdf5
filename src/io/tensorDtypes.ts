import { bfloat16ToFloat32, float16ToFloat32 } from './halfFloat.ts';

/** Bytes per element of the types that tensor files hold, under the names that safetensors gives them. */
export const bytesOf = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
} as const;

/** Element type of a stored tensor, under the name that safetensors gives it. */
export type TensorDtype = keyof typeof bytesOf;

export function isTensorDtype(name: unknown): name is TensorDtype {
  return typeof name === 'string' && Object.hasOwn(bytesOf, name);
}

/** Little-endian elements as float32; undefined for types that are no floating point numbers. */
export function decodeFloats(dtype: TensorDtype, bytes: ArrayBuffer): Float32Array<ArrayBuffer> | undefined {
  if (dtype === 'F32') return new Float32Array(bytes);
  if (dtype === 'F16') return float16ToFloat32(new Uint16Array(bytes));
  if (dtype === 'BF16') return bfloat16ToFloat32(new Uint16Array(bytes));
  if (dtype === 'F64') return Float32Array.from(new Float64Array(bytes));
  return undefined;
}

/** Little-endian elements as whole numbers; undefined for types that are none. */
export function decodeIntegers(
  dtype: TensorDtype,
  bytes: ArrayBuffer,
):
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | undefined {
  if (dtype === 'I32') return new Int32Array(bytes);
  if (dtype === 'I64') return new BigInt64Array(bytes);
  if (dtype === 'U8' || dtype === 'BOOL') return new Uint8Array(bytes);
  if (dtype === 'I16') return new Int16Array(bytes);
  if (dtype === 'I8') return new Int8Array(bytes);
  if (dtype === 'U16') return new Uint16Array(bytes);
  if (dtype === 'U32') return new Uint32Array(bytes);
  if (dtype === 'U64') return new BigUint64Array(bytes);
  return undefined;
}
