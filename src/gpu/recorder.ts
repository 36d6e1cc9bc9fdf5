import type { PooledBuffer } from './buffers.ts';
import { type CapturedUpload, Tape } from './capture.ts';
import type { LiveParams } from './params.ts';
import { packParams, refreshParams } from './params.ts';
import type { PassTimer } from './passTimer.ts';
import type { BoundRange, CompiledProgram, PipelineCache, Program, Workgroups } from './pipelines.ts';

/** Distance between two parameter blocks in the uniform ring: WebGPU's largest offset alignment. */
const slotBytes = 256;
/** Dispatches per submission; also the number of slots in the ring. */
const dispatchCap = 1024;

/** Sees a program that was recorded and the parameters it got. */
export type DispatchObserver = (program: Program, params: Readonly<Record<string, number>>) => void;

/** What an engine has recorded and submitted since it was made. */
export interface Counters {
  readonly dispatches: number;
  readonly submits: number;
}

/**
 * Collects dispatches in one compute pass of one command encoder and submits them together.
 * Parameters that do not travel as immediates are written to a ring with one `writeBuffer` per submission.
 */
export class Recorder {
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  private recorded = 0;
  private slots = 0;
  private serial = 1;
  private currentPipeline = -1;
  private readonly staging = new DataView(new ArrayBuffer(slotBytes * dispatchCap));
  private readonly ring: GPUBuffer;
  private ringGroup: GPUBindGroup | undefined;
  private readonly device: GPUDevice;
  private readonly pipelines: PipelineCache;
  private dispatchCount = 0;
  private submitCount = 0;
  private tape: Tape | undefined;
  /** Whether `encoder` is the application's, who submits it. */
  private isEncoderBorrowed = false;
  /** Called for every dispatch, eager or replayed, after it is encoded. */
  readonly observers = new Set<DispatchObserver>();
  private timing: { readonly timer: PassTimer; readonly perDispatch: boolean } | undefined;

  constructor(device: GPUDevice, pipelines: PipelineCache) {
    this.device = device;
    this.pipelines = pipelines;
    this.ring = device.createBuffer({
      label: 'params',
      size: slotBytes * dispatchCap,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  }

  get counters(): Counters {
    return { dispatches: this.dispatchCount, submits: this.submitCount };
  }

  dispatch(
    program: Program,
    ranges: readonly BoundRange[],
    params: Readonly<Record<string, number>>,
    workgroups: Workgroups,
    live?: LiveParams,
  ): void {
    const [x, y, z] = workgroups;
    if (x === 0 || y === 0 || z === 0) return;
    const compiled = this.pipelines.get(program);
    const bindGroup = this.pipelines.bindGroup(compiled, ranges);
    const offset = this.slots * slotBytes;
    packParams(program.params, params, this.staging, offset);
    if (live) refreshParams(program.params, live, this.staging, offset);
    this.tape?.dispatch({ compiled, bindGroup, params, workgroups, live }, ranges, this.staging, offset);
    const pass = this.begin(compiled, bindGroup);
    const { bytes } = program.params;
    if (bytes > 0 && compiled.immediate) {
      pass.setImmediates(0, this.staging.buffer, offset, bytes);
    } else if (bytes > 0) {
      pass.setBindGroup(1, this.ringBindGroup(), [offset]);
      this.slots += 1;
    }
    pass.dispatchWorkgroups(x, y, z);
    for (const { buffer } of ranges) buffer.lastUse = this.serial;
    this.end(program, params);
  }

  /** Starts to keep what is recorded; it is recorded all the same. See `Tape` for `onTouch`. */
  capture(onTouch: (buffer: PooledBuffer) => void): void {
    this.tape = new Tape(this.device, slotBytes, onTouch);
  }

  /** Stops keeping. */
  endCapture(): Tape {
    const { tape } = this;
    if (!tape) throw new Error('Nothing is being captured.');
    this.tape = undefined;
    return tape;
  }

  /** Measures the passes recorded from now on; with `perDispatch` every dispatch gets one of its own. */
  startTiming(timer: PassTimer, perDispatch: boolean): void {
    this.submit();
    this.timing = { timer, perDispatch };
  }

  /** Submits the measured passes. */
  stopTiming(): void {
    this.submit();
    this.timing = undefined;
  }

  /** Records a tape again. */
  replay(tape: Tape): void {
    const { commands, packed } = tape;
    const bytes = packed.buffer;
    for (const { dispatch, upload } of commands) {
      if (upload) this.upload(upload);
      if (!dispatch) continue;
      const { compiled, bindGroup, paramOffset, paramBytes, workgroups, live } = dispatch;
      if (live) refreshParams(compiled.program.params, live, packed, paramOffset);
      const pass = this.begin(compiled, bindGroup);
      if (paramBytes > 0 && compiled.immediate) {
        pass.setImmediates(0, bytes, paramOffset, paramBytes);
      } else if (live && !this.isEncoderBorrowed) {
        // The tape's own uniforms are the same for every run of a submission; these are not.
        const offset = this.slots * slotBytes;
        new Uint8Array(this.staging.buffer, offset, paramBytes).set(new Uint8Array(bytes, paramOffset, paramBytes));
        pass.setBindGroup(1, this.ringBindGroup(), [offset]);
        this.slots += 1;
      } else if (paramBytes > 0) {
        if (live) tape.writeUniforms(paramOffset, paramBytes);
        pass.setBindGroup(1, tape.uniformGroup(this.pipelines.uniformBindGroupLayout()), [paramOffset]);
      }
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
      this.end(compiled.program, dispatch.params);
    }
    for (const buffer of tape.buffers) buffer.lastUse = this.serial;
  }

  /** Records a tape into an encoder of the application's, behind everything that was recorded before. Submits only that. */
  encode(tape: Tape, encoder: GPUCommandEncoder): void {
    this.submit();
    this.encoder = encoder;
    this.isEncoderBorrowed = true;
    try {
      this.replay(tape);
    } finally {
      this.endPass();
      this.encoder = undefined;
      this.isEncoderBorrowed = false;
      this.recorded = 0;
    }
  }

  copy(source: BoundRange, target: GPUBuffer, targetOffset: number): void {
    this.openEncoder().copyBufferToBuffer(
      source.buffer.buffer,
      source.byteOffset,
      target,
      targetOffset,
      source.byteLength,
    );
    source.buffer.lastUse = this.serial;
    this.recorded += 1;
  }

  /** Writes at queue time, after everything recorded so far that touches the buffer. */
  write(target: PooledBuffer, byteOffset: number, data: ArrayBufferView): void {
    if (this.tape) {
      this.upload(this.tape.upload(target, byteOffset, data));
      return;
    }
    if (target.lastUse === this.serial) this.submit();
    this.device.queue.writeBuffer(target.buffer, byteOffset, data.buffer, data.byteOffset, data.byteLength);
    target.lastUse = this.serial;
  }

  /** Hands everything recorded to the queue. An empty submission still releases the memory of earlier writes. */
  submit(): void {
    if (this.isEncoderBorrowed) return;
    this.endPass();
    if (this.encoder) this.timing?.timer.resolve(this.encoder);
    const commands = this.encoder?.finish();
    this.encoder = undefined;
    if (this.slots > 0) this.device.queue.writeBuffer(this.ring, 0, this.staging.buffer, 0, this.slots * slotBytes);
    this.device.queue.submit(commands ? [commands] : []);
    this.recorded = 0;
    this.slots = 0;
    this.serial += 1;
    this.submitCount += 1;
  }

  destroy(): void {
    this.pass = undefined;
    this.encoder = undefined;
    this.ring.destroy();
  }

  private begin(compiled: CompiledProgram, bindGroup: GPUBindGroup): GPUComputePassEncoder {
    const pass = this.openPass();
    if (this.currentPipeline !== compiled.id) {
      pass.setPipeline(compiled.pipeline);
      this.currentPipeline = compiled.id;
    }
    pass.setBindGroup(0, bindGroup);
    return pass;
  }

  private end(program: Program, params: Readonly<Record<string, number>>): void {
    this.recorded += 1;
    this.dispatchCount += 1;
    if (this.timing?.perDispatch) this.endPass();
    // Making an iterator for nothing is noticed at a microsecond per dispatch.
    if (this.observers.size > 0) for (const observer of this.observers) observer(program, params);
    if (this.recorded >= dispatchCap) this.submit();
  }

  private upload({ source, target, byteOffset }: CapturedUpload): void {
    this.openEncoder().copyBufferToBuffer(source, 0, target.buffer, byteOffset, source.size);
    target.lastUse = this.serial;
    this.recorded += 1;
  }

  private openEncoder(): GPUCommandEncoder {
    this.endPass();
    this.encoder ??= this.device.createCommandEncoder();
    return this.encoder;
  }

  private openPass(): GPUComputePassEncoder {
    if (this.pass) return this.pass;
    const timer = this.isEncoderBorrowed ? undefined : this.timing?.timer;
    if (timer?.isFull) this.submit();
    this.encoder ??= this.device.createCommandEncoder();
    this.pass = this.encoder.beginComputePass(timer ? { timestampWrites: timer.nextPass() } : undefined);
    this.currentPipeline = -1;
    return this.pass;
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = undefined;
  }

  private ringBindGroup(): GPUBindGroup {
    this.ringGroup ??= this.device.createBindGroup({
      layout: this.pipelines.uniformBindGroupLayout(),
      entries: [{ binding: 0, resource: { buffer: this.ring, size: slotBytes } }],
    });
    return this.ringGroup;
  }
}
