import type { ByteSource } from './byteSource.ts';

/** Elements from the first to the last one that a view touches, both included; 0 for a view without elements. */
export function stridedSpan(shape: readonly number[], strides: readonly number[]): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((span, size, axis) => span + (size - 1) * (strides[axis] ?? 0), 1);
}

/** Whether the elements follow each other in row-major order; strides of axes of size 1 do not matter. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0)) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return true;
}

type Elements =
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

function elementsOf(bytes: Uint8Array<ArrayBuffer>, elementBytes: number): Elements {
  if (elementBytes === 1) return bytes;
  if (elementBytes === 2) return new Uint16Array(bytes.buffer);
  return elementBytes === 4 ? new Uint32Array(bytes.buffer) : new BigUint64Array(bytes.buffer);
}

/** Copies a view (a transposed matrix, every second row) into row-major order. `strides` count elements. */
export function gatherStrided(
  source: ByteSource,
  begin: number,
  shape: readonly number[],
  strides: readonly number[],
  elementBytes: number,
): Uint8Array<ArrayBuffer> {
  const count = shape.reduce((product, size) => product * size, 1);
  const gathered = new Uint8Array(count * elementBytes);
  const from = elementsOf(source.read(begin, stridedSpan(shape, strides) * elementBytes), elementBytes);
  const to = elementsOf(gathered, elementBytes);
  const index = new Array<number>(shape.length).fill(0);
  let at = 0;
  for (let i = 0; i < count; i++) {
    to[i] = from[at] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] ?? 0;
      index[axis] = (index[axis] ?? 0) + 1;
      at += stride;
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break;
      at -= stride * (shape[axis] ?? 0);
      index[axis] = 0;
    }
  }
  return gathered;
}
