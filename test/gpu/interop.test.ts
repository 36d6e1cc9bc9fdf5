import { describe, expect, it } from 'vitest';
import { matmul } from '../../src/autograd/ops/matmul.ts';
import { Tensor } from '../../src/autograd/tensor.ts';
import { ShapeError } from '../../src/gpu/errors.ts';
import { binary } from '../../src/kernels/binary.ts';
import { contiguous } from '../../src/kernels/copy.ts';
import type { DType } from '../../src/kernels/dtype.ts';
import { fill } from '../../src/kernels/fill.ts';
import { NDArray } from '../../src/kernels/ndarray.ts';
import { useGpu } from '../support/gpu.ts';

const gpu = useGpu();

/** A buffer as an application makes it. */
function bufferOf(values: readonly number[], storage = true): GPUBuffer {
  const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const usage = COPY_DST | COPY_SRC | (storage ? STORAGE : 0);
  const buffer = gpu().device.createBuffer({ size: 4 * values.length, usage });
  gpu().device.queue.writeBuffer(buffer, 0, Float32Array.from(values));
  return buffer;
}

/** Reads with commands of the application's own, into which `encode` may put more before the copy. */
async function readWith(
  { buffer, offset, size }: NDArray['binding'],
  encode: (encoder: GPUCommandEncoder) => void = () => undefined,
): Promise<number[]> {
  const { device } = gpu();
  const staging = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const encoder = device.createCommandEncoder();
  encode(encoder);
  encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const values = [...new Float32Array(staging.getMappedRange())];
  staging.destroy();
  return values;
}

describe('a buffer of the application', () => {
  it('is read and written in place, and is still there after its arrays are disposed', async () => {
    const before = gpu().memoryReport();
    const buffer = bufferOf([1, 2, 3, 4]);
    const x = NDArray.wrap(gpu(), buffer, [4]);
    const y = binary('add', x, x);
    expect(await y.read()).toEqual(Float32Array.of(2, 4, 6, 8));
    x.write([5, 6, 7, 8]);
    for (const array of [x, y]) array.dispose();
    expect(gpu().memoryReport().liveBytes).toBe(before.liveBytes);
    const again = NDArray.wrap(gpu(), buffer, [2, 2]);
    expect(await again.read()).toEqual(Float32Array.of(5, 6, 7, 8));
    again.dispose();
    buffer.destroy();
  });

  it('may hold an array at any element', async () => {
    const buffer = bufferOf([1, 2, 3, 4, 5, 6, 7]);
    const x = NDArray.wrap(gpu(), buffer, [2, 3], { byteOffset: 4 });
    const w = NDArray.from(gpu(), [1, 10, 100], [3, 1]);
    const y = matmul(new Tensor(x), new Tensor(w));
    expect(await y.data()).toEqual(Float32Array.of(432, 765));
    expect(() => x.binding).toThrow(/dense/);
    const copy = contiguous(x);
    gpu().submit();
    expect(await readWith(copy.binding)).toEqual([2, 3, 4, 5, 6, 7]);
    for (const array of [x, w, y, copy]) array.dispose();
    buffer.destroy();
  });

  it.each<[string, readonly number[], { dtype?: DType; byteOffset?: number }]>([
    ['too small', [5], {}],
    ['too small behind an offset', [4], { byteOffset: 4 }],
    ['not aligned', [2], { byteOffset: 2 }],
    ['before its start', [2], { byteOffset: -4 }],
  ])('is refused where it is %s', (_, shape, options) => {
    const buffer = bufferOf([1, 2, 3, 4]);
    expect(() => NDArray.wrap(gpu(), buffer, shape, options)).toThrow(/of a buffer of 16 bytes has no room/);
    buffer.destroy();
  });

  it('is refused where kernels cannot use it', () => {
    const buffer = bufferOf([1], false);
    expect(() => NDArray.wrap(gpu(), buffer, [1])).toThrow(ShapeError);
    buffer.destroy();
  });
});

describe('an array in commands of the application', () => {
  it('has its values once they are submitted', async () => {
    const x = fill(gpu(), [3], 7);
    gpu().submit();
    expect(await readWith(x.binding)).toEqual([7, 7, 7]);
    x.dispose();
  });

  it('is computed within its command encoder', async () => {
    const buffer = bufferOf([0, 0, 0, 0]);
    const x = NDArray.wrap(gpu(), buffer, [2, 2]);
    const one = fill(gpu(), [2, 2], 1);
    // Parameters of the transposition are too many for immediates, those of the others are not.
    const captured = gpu().capture(() => binary('mul', contiguous(x.view([2, 2], [1, 2])), binary('add', x, one)));
    gpu().submit();
    const { queue } = gpu().device;
    for (const [a = 0, b = 0, c = 0, d = 0] of [
      [1, 2, 3, 4],
      [-1, 0, 5, 0.5],
    ]) {
      queue.writeBuffer(buffer, 0, Float32Array.of(a, b, c, d));
      const { submits } = gpu().counters;
      const got = await readWith(captured.result.binding, (encoder) => captured.encode(encoder));
      expect(got).toEqual([a * (a + 1), c * (b + 1), b * (c + 1), d * (d + 1)]);
      expect(gpu().counters.submits).toBe(submits);
    }
    captured.dispose();
    expect(() => captured.encode(gpu().device.createCommandEncoder())).toThrow(/disposed/);
    for (const array of [x, one]) array.dispose();
    buffer.destroy();
  });
});
