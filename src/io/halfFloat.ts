/** Conversions of stored 16-bit floats to float32; both are exact. */

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

/** bfloat16: the upper half of a float32. */
export function bfloat16ToFloat32(stored: Uint16Array): Float32Array<ArrayBuffer> {
  const bits = new Uint32Array(stored.length);
  for (let i = 0; i < stored.length; i++) bits[i] = (stored[i] ?? 0) << 16;
  return new Float32Array(bits.buffer);
}
