import type { BufferPool, PooledBuffer } from './buffers.ts';
import type { LiveParams } from './params.ts';
import type { BoundRange, CompiledProgram, Workgroups } from './pipelines.ts';

/** A dispatch with everything decided. */
export interface CapturedDispatch {
  readonly compiled: CompiledProgram;
  readonly bindGroup: GPUBindGroup;
  readonly params: Readonly<Record<string, number>>;
  /** Place and size of the parameters in `Tape.packed`. */
  readonly paramOffset: number;
  readonly paramBytes: number;
  readonly workgroups: Workgroups;
  readonly live: LiveParams | undefined;
}

/** A host value that a captured function uploaded: it is copied from a buffer of the tape whenever the tape runs. */
export interface CapturedUpload {
  readonly source: GPUBuffer;
  readonly target: PooledBuffer;
  readonly byteOffset: number;
}

/** One of the two. Objects of one shape, without searching for their fields: replays count in microseconds. */
interface CapturedCommand {
  readonly dispatch: CapturedDispatch | undefined;
  readonly upload: CapturedUpload | undefined;
}

/** A buffer with a copy of host data, for commands that copy them on. */
export function stageUpload(device: GPUDevice, data: ArrayBufferView): GPUBuffer {
  const source = device.createBuffer({
    label: 'upload',
    size: Math.ceil(data.byteLength / 4) * 4,
    usage: GPUBufferUsage.COPY_SRC,
    mappedAtCreation: true,
  });
  new Uint8Array(source.getMappedRange()).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  source.unmap();
  return source;
}

/** Commands of one captured function, in order. */
export class Tape {
  readonly commands: CapturedCommand[] = [];
  /** Every buffer that the commands touch. */
  readonly buffers = new Set<PooledBuffer>();
  private staging = new DataView(new ArrayBuffer(64 * 1024));
  private used = 0;
  private uniforms: { readonly buffer: GPUBuffer; readonly group: GPUBindGroup } | undefined;
  private readonly device: GPUDevice;
  /** Distance of parameter blocks: uniform offsets have to be aligned. */
  private readonly slotBytes: number;
  private readonly onTouch: (buffer: PooledBuffer) => void;

  /** @param onTouch called once for every buffer that a command reads or writes. */
  constructor(device: GPUDevice, slotBytes: number, onTouch: (buffer: PooledBuffer) => void) {
    this.device = device;
    this.slotBytes = slotBytes;
    this.onTouch = onTouch;
  }

  /** Parameters of all dispatches, each at its `paramOffset`. */
  get packed(): DataView<ArrayBuffer> {
    return this.staging;
  }

  /** Keeps a dispatch, with a copy of its parameters, which lie at `offset` of `packed`. */
  dispatch(
    { compiled, bindGroup, params, workgroups, live }: Omit<CapturedDispatch, 'paramOffset' | 'paramBytes'>,
    ranges: readonly BoundRange[],
    packed: DataView,
    offset: number,
  ): void {
    const { bytes } = compiled.program.params;
    if (this.used + this.slotBytes > this.staging.byteLength) this.grow();
    const target = new Uint8Array(this.staging.buffer, this.used, bytes);
    target.set(new Uint8Array(packed.buffer, packed.byteOffset + offset, bytes));
    const place = { paramOffset: this.used, paramBytes: bytes };
    this.commands.push({ dispatch: { compiled, bindGroup, params, ...place, workgroups, live }, upload: undefined });
    if (bytes > 0) this.used += this.slotBytes;
    for (const { buffer } of ranges) this.touch(buffer);
  }

  /** Keeps a copy of host data that is written to `target`. */
  upload(target: PooledBuffer, byteOffset: number, data: ArrayBufferView): CapturedUpload {
    const command = { source: stageUpload(this.device, data), target, byteOffset };
    this.commands.push({ dispatch: undefined, upload: command });
    this.touch(target);
    return command;
  }

  /** Group 1 for devices without immediates: all parameters of the tape, bound with a dynamic offset. */
  uniformGroup(layout: GPUBindGroupLayout): GPUBindGroup {
    if (this.uniforms) return this.uniforms.group;
    const size = Math.max(this.used, this.slotBytes);
    const buffer = this.device.createBuffer({
      label: 'captured params',
      size,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.device.queue.writeBuffer(buffer, 0, this.staging.buffer, 0, size);
    const resource = { buffer, size: this.slotBytes };
    const group = this.device.createBindGroup({ layout, entries: [{ binding: 0, resource }] });
    this.uniforms = { buffer, group };
    return group;
  }

  /** Brings changed parameters to the buffer of `uniformGroup`, which was made before. */
  writeUniforms(offset: number, bytes: number): void {
    const { buffer } = this.uniforms ?? {};
    if (buffer) this.device.queue.writeBuffer(buffer, offset, this.staging.buffer, offset, bytes);
  }

  destroy(): void {
    this.uniforms?.buffer.destroy();
    for (const { upload } of this.commands) upload?.source.destroy();
  }

  private touch(buffer: PooledBuffer): void {
    if (this.buffers.has(buffer)) return;
    this.buffers.add(buffer);
    this.onTouch(buffer);
  }

  private grow(): void {
    const larger = new DataView(new ArrayBuffer(2 * this.staging.byteLength));
    new Uint8Array(larger.buffer).set(new Uint8Array(this.staging.buffer));
    this.staging = larger;
  }
}

/**
 * A function whose kernels were recorded once and can run again without its JavaScript. Made by `Gpu.capture`.
 *
 * `run` reads and writes the very buffers of the first run: change the inputs with `NDArray.write`, and read `result`
 * before the next run overwrites it. Whatever the function decided on the host stays as it was, except live parameters
 * (`LiveParams`), such as the seeds of dropout masks.
 */
export class Captured<T> {
  /** What the function returned; arrays in it live until `dispose`. */
  readonly result: T;
  readonly dispatches: number;
  private readonly replay: (encoder?: GPUCommandEncoder) => void;
  private readonly end: () => void;
  private disposed = false;

  constructor(result: T, dispatches: number, replay: (encoder?: GPUCommandEncoder) => void, end: () => void) {
    this.result = result;
    this.dispatches = dispatches;
    this.replay = replay;
    this.end = end;
  }

  /** Records all of it again. Nothing waits. @throws Error after `dispose`. */
  run(): void {
    this.check();
    this.replay();
  }

  /**
   * Records all of it into a command encoder of the application's, between its own passes. The application submits it,
   * once for every `encode`, before it lets the engine do anything else with the arrays that the function touches. Errors
   * in these commands are reported where it calls `finish`; with `debug` they name the kernel.
   * @throws GpuError on a wrapped device if kernels wait for `Gpu.submit`. @throws Error after `dispose`.
   */
  encode(encoder: GPUCommandEncoder): void {
    this.check();
    this.replay(encoder);
  }

  /** Frees every buffer that the function made, its results too, so nothing may use those any more. May be called again. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.end();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private check(): void {
    if (this.disposed) throw new Error('This capture was disposed; capture the function again.');
  }
}

/**
 * Buffers that several captures use in turn. Captures run one after the other and keep nothing between their runs but
 * their results, so two steps of other shapes need no more memory than the larger one. Made by `Gpu.captureMemory`.
 */
export class CaptureMemory {
  readonly pool: BufferPool;
  private readonly end: () => void;
  private disposed = false;

  constructor(pool: BufferPool, end: () => void) {
    this.pool = pool;
    this.end = end;
  }

  /** Frees the buffers; no capture that uses them may run any more. May be called again. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.end();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
