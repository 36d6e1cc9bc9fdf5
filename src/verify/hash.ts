import { hashStream, uniformFromWord } from '../nn/random.ts';

/** The first `count` values of a generated tensor, uniform in [-1, 1) and exact in float32. */
export function hashUniform(stream: string, seed: number, count: number): Float32Array<ArrayBuffer> {
  const word = hashStream(stream, seed);
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) values[i] = uniformFromWord(word(i));
  return values;
}

/** `count` positions of a tensor with `size` elements that stand for all of it. */
export function probedIndices(stream: string, count: number, size: number): number[] {
  const word = hashStream(stream, 0);
  return Array.from({ length: count }, (_, i) => word(i) % size);
}
