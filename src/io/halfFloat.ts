/** Conversions of 16-bit floats; those to float32 are exact. */

let halfTable: Float32Array | undefined;

function float16Table(): Float32Array {
  const table = new Float32Array(2 ** 16);
  for (let bits = 0; bits < table.length; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 0) table[bits] = sign * fraction * 2 ** -24;
    else if (exponent === 31) table[bits] = fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    else table[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return table;
}

/** IEEE 754 binary16. */
export function float16ToFloat32(stored: Uint16Array): Float32Array<ArrayBuffer> {
  halfTable ??= float16Table();
  const values = new Float32Array(stored.length);
  for (let i = 0; i < stored.length; i++) values[i] = halfTable[stored[i] ?? 0] ?? 0;
  return values;
}

/** The bits of the nearest binary16, ties to even; infinity beyond 65,504. */
function float16Bits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const exact = size * 2 ** (10 - exponent);
  const down = Math.floor(exact);
  const isUp = exact - down > 0.5 || (exact - down === 0.5 && down % 2 === 1);
  // 1024 is the leading bit, which is not stored; rounding up to 2048 carries into the exponent.
  return sign | (((exponent + 15) << 10) + down + (isUp ? 1 : 0) - 1024);
}

/** IEEE 754 binary16 of the nearest values. */
export function float32ToFloat16(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  return Uint16Array.from(values, float16Bits);
}

/** bfloat16: the upper half of a float32. */
export function bfloat16ToFloat32(stored: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(stored.length);
  for (let i = 0; i < stored.length; i++) bits[i] = (stored[i] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}
