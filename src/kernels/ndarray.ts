import type { PooledBuffer } from '../gpu/buffers.ts';
import { ShapeError } from '../gpu/errors.ts';
import type { Gpu } from '../gpu/gpu.ts';
import type { BoundRange } from '../gpu/pipelines.ts';
import type { Scoped } from '../gpu/scope.ts';
import { escapes } from '../gpu/scope.ts';
import type { DType, TypedArray } from './dtype.ts';
import { elementBytes, toTypedArray, typedArrayOf } from './dtype.ts';
import type { Shape } from './shape.ts';
import { contiguousStrides, formatShape, isContiguous, numel } from './shape.ts';

/** Storage bindings start at multiples of this many bytes. */
export const bindingAlignment = 256;

/** A buffer shared by an array and its views; it returns to the pool with the last of them. */
interface Storage {
  readonly buffer: PooledBuffer;
  users: number;
}

/**
 * A strided array on the GPU, without gradients: what kernels read and write.
 * Lives until `dispose()` or the end of the scope it was made in; views share its storage.
 */
export class NDArray implements Scoped {
  readonly gpu: Gpu;
  readonly shape: Shape;
  /** In elements; 0 along broadcast axes. */
  readonly strides: readonly number[];
  readonly dtype: DType;
  /** First element, counted from the start of the buffer. */
  readonly offset: number;
  private readonly storage: Storage;
  private disposed = false;

  private constructor(
    gpu: Gpu,
    storage: Storage,
    shape: Shape,
    strides: readonly number[],
    dtype: DType,
    offset: number,
  ) {
    this.gpu = gpu;
    this.storage = storage;
    this.shape = shape;
    this.strides = strides;
    this.dtype = dtype;
    this.offset = offset;
    storage.users += 1;
    gpu.scopes.track(this);
    gpu.watchLeak(this, storage.buffer);
  }

  /** An array with undefined contents, for a kernel to fill. */
  static empty(gpu: Gpu, shape: Shape, dtype: DType = 'f32'): NDArray {
    for (const size of shape) {
      if (!Number.isInteger(size) || size < 0)
        throw new ShapeError(`A tensor cannot have the shape ${formatShape(shape)}.`);
    }
    const storage = { buffer: gpu.acquire(Math.max(1, numel(shape)) * elementBytes(dtype)), users: 0 };
    return new NDArray(gpu, storage, [...shape], contiguousStrides(shape), dtype, 0);
  }

  /** Uploads host values in row-major order. @throws ShapeError if their number does not fit the shape. */
  static from(gpu: Gpu, values: ArrayLike<number>, shape: Shape, dtype: DType = 'f32'): NDArray {
    if (values.length !== numel(shape)) {
      throw new ShapeError(`${values.length} values do not fill a tensor of shape ${formatShape(shape)}.`);
    }
    const array = NDArray.empty(gpu, shape, dtype);
    if (values.length > 0) array.write(values);
    return array;
  }

  /**
   * An array over a buffer of the application's, row-major from `byteOffset`, without a copy. The buffer needs the usage
   * STORAGE, COPY_SRC to be read and COPY_DST to be written from the host. Disposing the array leaves it alone.
   * @throws ShapeError if the buffer lacks STORAGE, is too small, or `byteOffset` is not a multiple of the element size.
   */
  static wrap(
    gpu: Gpu,
    buffer: GPUBuffer,
    shape: Shape,
    { dtype = 'f32', byteOffset = 0 }: { readonly dtype?: DType; readonly byteOffset?: number } = {},
  ): NDArray {
    const width = elementBytes(dtype);
    const bytes = numel(shape) * width;
    if ((buffer.usage & GPUBufferUsage.STORAGE) === 0) {
      throw new ShapeError('A buffer that kernels are to use must be made with the usage GPUBufferUsage.STORAGE.');
    }
    if (byteOffset < 0 || byteOffset % width !== 0 || byteOffset + bytes > buffer.size) {
      throw new ShapeError(
        `${dtype} ${formatShape(shape)} takes ${bytes} bytes, from a multiple of ${width} on; ` +
          `offset ${byteOffset} of a buffer of ${buffer.size} bytes has no room for it.`,
      );
    }
    const storage = { buffer: gpu.adopt(buffer), users: 0 };
    return new NDArray(gpu, storage, [...shape], contiguousStrides(shape), dtype, byteOffset / width);
  }

  get size(): number {
    return numel(this.shape);
  }

  get rank(): number {
    return this.shape.length;
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  /** Whether other arrays see the same storage. */
  get isShared(): boolean {
    return this.storage.users > 1;
  }

  /** Row-major without gaps, and starting where a storage binding may start. */
  get isDense(): boolean {
    return isContiguous(this.shape, this.strides) && (this.offset * elementBytes(this.dtype)) % bindingAlignment === 0;
  }

  /**
   * The range to bind: exactly the elements of a dense array, otherwise the buffer from its beginning,
   * addressed through `offset` and `strides`.
   */
  get range(): BoundRange {
    if (this.disposed)
      throw new ShapeError(`A tensor of shape ${formatShape(this.shape)} was used after it was disposed.`);
    const { buffer } = this.storage;
    if (this.isDense) {
      const width = elementBytes(this.dtype);
      // Ranges are bound and copied in whole words.
      const byteLength = 4 * Math.ceil((Math.max(1, this.size) * width) / 4);
      return { buffer, byteOffset: this.offset * width, byteLength };
    }
    return { buffer, byteOffset: 0, byteLength: buffer.size };
  }

  /**
   * Where a dense array lies, for bind groups and copies of the application's. Valid until the array is disposed; what
   * was recorded reaches it with `Gpu.submit`, before whatever the application submits after that.
   * @throws ShapeError if the array is not dense.
   */
  get binding(): { readonly buffer: GPUBuffer; readonly offset: number; readonly size: number } {
    if (!this.isDense) throw new ShapeError('Only a dense tensor can be bound; copy it with `contiguous` first.');
    const { buffer, byteOffset, byteLength } = this.range;
    return { buffer: buffer.buffer, offset: byteOffset, size: byteLength };
  }

  /** Another array over the same storage. */
  view(shape: Shape, strides: readonly number[], offset: number = this.offset, dtype: DType = this.dtype): NDArray {
    if (this.disposed)
      throw new ShapeError(`A tensor of shape ${formatShape(this.shape)} was used after it was disposed.`);
    return new NDArray(this.gpu, this.storage, [...shape], [...strides], dtype, offset);
  }

  /** Replaces the contents of a dense array. */
  write(values: ArrayLike<number>): void {
    const { buffer, byteOffset } = this.range;
    if (!this.isDense) throw new ShapeError('Only a dense tensor can be written from the host.');
    if (values.length !== this.size) {
      throw new ShapeError(`${values.length} values do not fill a tensor of shape ${formatShape(this.shape)}.`);
    }
    if (values.length > 0) this.gpu.write(buffer, byteOffset, toTypedArray(this.dtype, values));
  }

  /** Reads a dense array back to the host in row-major order. */
  async read(): Promise<TypedArray> {
    if (!this.isDense) throw new ShapeError('Only a dense tensor can be read; copy it with `contiguous` first.');
    if (this.size === 0) return typedArrayOf(this.dtype, new ArrayBuffer(0));
    return typedArrayOf(this.dtype, await this.gpu.read(this.range)).subarray(0, this.size);
  }

  /** Gives up the storage, which is free with the last array over it. May be called again. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.gpu.unwatchLeak(this);
    this.storage.users -= 1;
    if (this.storage.users === 0) this.gpu.release(this.storage.buffer);
  }

  /** What lives on when this is returned from a scope. */
  [escapes](): Iterable<Scoped> {
    return [this];
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A dense array that may take a result, of the same shape and dtype, instead of a new one. */
export interface ResultTarget {
  readonly array: NDArray;
  /** Add to what the array holds; otherwise replace it. */
  readonly accumulate: boolean;
}
