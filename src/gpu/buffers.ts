import { type Guard, unguarded } from './errorGuard.ts';
import { GpuError } from './errors.ts';

/** A buffer of the pool, or one that it adopted. `size` is its capacity in bytes; tensors may use less. */
export interface PooledBuffer {
  readonly id: number;
  readonly buffer: GPUBuffer;
  readonly pool: BufferPool;
  readonly size: number;
  /** Serial of the submission that last touched the buffer; equal to the open one while commands are pending. */
  lastUse: number;
  /** Captures that read or write the buffer; it is not handed out again before they end. */
  holds: number;
  /** Whether it was released while it was held. */
  releasedWhileHeld: boolean;
}

/** Memory of the engine's buffers, in bytes. */
export interface MemoryReport {
  /** Bytes and number of buffers that tensors hold. */
  readonly liveBytes: number;
  readonly liveBuffers: number;
  /** Bytes that wait in the pool for the next tensor. */
  readonly pooledBytes: number;
  readonly pooledBuffers: number;
  /** Largest value of `liveBytes` so far, or since `Gpu.resetPeakMemory`. */
  readonly peakBytes: number;
  /** Largest value of `liveBytes + pooledBytes` so far: what the device had to have. */
  readonly peakAllocatedBytes: number;
}

export interface PoolOptions {
  /** Bytes of freed buffers that `trim` leaves. */
  readonly maxPooledBytes: number;
  /** A freed buffer may be handed out again for what is this many times smaller; 1 = its own size class only. */
  readonly slack?: number;
  readonly guard?: Guard;
}

const minimumSize = 256;

/** Bytes that tensors hold and bytes that the device gave, over all pools. */
export class MemoryMeter {
  liveBytes = 0;
  peakBytes = 0;
  allocatedBytes = 0;
  peakAllocatedBytes = 0;

  add(bytes: number): void {
    this.liveBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
  }

  allocate(bytes: number): void {
    this.allocatedBytes += bytes;
    this.peakAllocatedBytes = Math.max(this.peakAllocatedBytes, this.allocatedBytes);
  }

  resetPeak(): void {
    this.peakBytes = this.liveBytes;
    this.peakAllocatedBytes = this.allocatedBytes;
  }
}

/** Ids are unique over all pools, since bind groups are known by them. */
let nextId = 1;

/** Capacity for a request: four steps per power of two, so at most a quarter of a buffer is unused. */
export function sizeClass(bytes: number): number {
  if (bytes <= minimumSize) return minimumSize;
  const power = 2 ** Math.floor(Math.log2(bytes));
  const step = Math.max(minimumSize, power / 4);
  return Math.ceil(bytes / step) * step;
}

/**
 * Storage buffers by size class. Freed buffers are handed out again, most recently freed first: commands run in the
 * order they were recorded, so a buffer may be reused as soon as its last reader is recorded.
 */
export class BufferPool {
  private readonly free = new Map<number, PooledBuffer[]>();
  private readonly all = new Set<PooledBuffer>();
  private liveBytes = 0;
  private liveBuffers = 0;
  private pooledBytes = 0;
  private readonly device: GPUDevice;
  private readonly maxPooledBytes: number;
  private readonly slack: number;
  private readonly onDestroy: (id: number) => void;
  private readonly meter: MemoryMeter;
  private readonly guard: Guard;

  constructor(
    device: GPUDevice,
    { maxPooledBytes, slack = 1, guard = unguarded }: PoolOptions,
    onDestroy: (id: number) => void,
    meter: MemoryMeter,
  ) {
    this.meter = meter;
    this.guard = guard;
    this.device = device;
    this.maxPooledBytes = maxPooledBytes;
    this.slack = slack;
    this.onDestroy = onDestroy;
  }

  /** @throws GpuError if the device cannot hold or bind a buffer of that size. */
  acquire(bytes: number): PooledBuffer {
    const limit = Math.min(this.device.limits.maxBufferSize, this.device.limits.maxStorageBufferBindingSize);
    if (bytes > limit) {
      throw new GpuError(
        `A tensor of ${bytes} bytes does not fit this device: one storage buffer may have at most ${limit} bytes ` +
          `(maxStorageBufferBindingSize). Use a smaller batch or image size.`,
      );
    }
    const wanted = Math.min(sizeClass(bytes), limit - (limit % 4));
    const reused = this.free.get(this.closestFree(wanted))?.pop();
    if (reused) this.pooledBytes -= reused.size;
    const buffer = reused ?? this.create(wanted);
    const { size } = buffer;
    this.liveBytes += size;
    this.liveBuffers += 1;
    this.meter.add(size);
    return buffer;
  }

  /** Keeps a buffer from being handed out again until `unhold`, also when it is released. */
  hold(buffer: PooledBuffer): void {
    buffer.holds += 1;
  }

  unhold(buffer: PooledBuffer): void {
    buffer.holds -= 1;
    if (buffer.holds > 0 || !buffer.releasedWhileHeld) return;
    buffer.releasedWhileHeld = false;
    this.release(buffer);
  }

  /** A record of a buffer that belongs to somebody else; it counts nowhere and is never handed out or destroyed. */
  adopt(buffer: GPUBuffer): PooledBuffer {
    return this.describe(buffer, buffer.size - (buffer.size % 4));
  }

  release(buffer: PooledBuffer): void {
    if (!this.all.has(buffer)) {
      this.onDestroy(buffer.id);
      return;
    }
    if (buffer.holds > 0) {
      buffer.releasedWhileHeld = true;
      return;
    }
    this.liveBytes -= buffer.size;
    this.liveBuffers -= 1;
    this.meter.add(-buffer.size);
    this.pooledBytes += buffer.size;
    const list = this.free.get(buffer.size);
    if (list) {
      // Re-inserting keeps the map ordered from least to most recently used size class.
      this.free.delete(buffer.size);
      this.free.set(buffer.size, list);
      list.push(buffer);
    } else {
      this.free.set(buffer.size, [buffer]);
    }
  }

  /** Destroys pooled buffers, least recently used size classes first, until at most `maxBytes` wait. */
  trim(maxBytes: number = this.maxPooledBytes): void {
    for (const [size, list] of this.free) {
      while (this.pooledBytes > maxBytes) {
        const buffer = list.shift();
        if (!buffer) break;
        this.pooledBytes -= size;
        this.all.delete(buffer);
        this.meter.allocate(-size);
        buffer.buffer.destroy();
        this.onDestroy(buffer.id);
      }
      if (list.length === 0) this.free.delete(size);
    }
  }

  report(): Omit<MemoryReport, 'peakBytes' | 'peakAllocatedBytes'> {
    return {
      liveBytes: this.liveBytes,
      liveBuffers: this.liveBuffers,
      pooledBytes: this.pooledBytes,
      pooledBuffers: this.all.size - this.liveBuffers,
    };
  }

  destroy(): void {
    for (const { buffer, id } of this.all) {
      buffer.destroy();
      this.onDestroy(id);
    }
    this.meter.add(-this.liveBytes);
    this.meter.allocate(-this.liveBytes - this.pooledBytes);
    this.all.clear();
    this.free.clear();
  }

  /** The smallest class with a free buffer that may serve a request for `wanted` bytes. */
  private closestFree(wanted: number): number {
    if (this.slack === 1 || this.free.get(wanted)?.length) return wanted;
    let closest = Number.POSITIVE_INFINITY;
    for (const [size, { length }] of this.free) {
      if (length > 0 && size >= wanted && size <= this.slack * wanted) closest = Math.min(closest, size);
    }
    return closest;
  }

  private create(size: number): PooledBuffer {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = this.guard(`A tensor of ${size} bytes`, () => this.device.createBuffer({ size, usage }));
    const pooled = this.describe(buffer, size);
    this.all.add(pooled);
    this.meter.allocate(size);
    return pooled;
  }

  private describe(buffer: GPUBuffer, size: number): PooledBuffer {
    return { id: nextId++, buffer, pool: this, size, lastUse: 0, holds: 0, releasedWhileHeld: false };
  }
}
