import type { PooledBuffer } from './buffers.ts';
import { type CapturedUpload, stageUpload, Tape } from './capture.ts';
import type { Guard } from './errorGuard.ts';
import { GpuError } from './errors.ts';
import { ParamRing, slotBytes } from './paramRing.ts';
import type { LiveParams } from './params.ts';
import { packParams, refreshParams } from './params.ts';
import type { PassTimer } from './passTimer.ts';
import type { BoundRange, CompiledProgram, PipelineCache, Program, Workgroups } from './pipelines.ts';

/** Dispatches after which the recorder submits, if it may; also the number of slots of a page of parameters. */
const dispatchCap = 1024;

/** Sees a program that was recorded and the parameters it got. */
export type DispatchObserver = (program: Program, params: Readonly<Record<string, number>>) => void;

/** What an engine has recorded and submitted since it was made. */
export interface Counters {
  readonly dispatches: number;
  readonly submits: number;
}

export interface RecorderOptions {
  /** Around commands that WebGPU checks when they are submitted. */
  readonly guard: Guard;
  /** Whether it submits when it sees fit; otherwise only `submit` does, since the queue is the application's. */
  readonly submitsAlone: boolean;
  /** Names every dispatch in the command buffer, and submits each alone where it may. */
  readonly debug: boolean;
}

/**
 * Collects dispatches in one compute pass of one command encoder and submits them together.
 * Parameters that do not travel as immediates are written to a ring with one `writeBuffer` per submission.
 */
export class Recorder {
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  private recorded = 0;
  private serial = 1;
  private currentPipeline = -1;
  private readonly ring: ParamRing;
  /** Frees what commands need that are not submitted yet. */
  private readonly retired: (() => void)[] = [];
  private readonly device: GPUDevice;
  private readonly pipelines: PipelineCache;
  private readonly options: RecorderOptions;
  private dispatchCount = 0;
  private submitCount = 0;
  private tape: Tape | undefined;
  /** Whether `encoder` is the application's, who submits it. */
  private isEncoderBorrowed = false;
  /** Called for every dispatch, eager or replayed, after it is encoded. */
  readonly observers = new Set<DispatchObserver>();
  private timing: { readonly timer: PassTimer; readonly perDispatch: boolean } | undefined;

  constructor(device: GPUDevice, pipelines: PipelineCache, options: RecorderOptions) {
    this.device = device;
    this.pipelines = pipelines;
    this.options = options;
    this.ring = new ParamRing(device, () => pipelines.uniformBindGroupLayout(), dispatchCap);
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
    const { offset } = this.ring;
    const { staging, group } = this.ring.page;
    packParams(program.params, params, staging, offset);
    if (live) refreshParams(program.params, live, staging, offset);
    this.tape?.dispatch({ compiled, bindGroup, params, workgroups, live }, ranges, staging, offset);
    const pass = this.begin(compiled, bindGroup);
    const { bytes } = program.params;
    if (bytes > 0 && compiled.immediate) {
      pass.setImmediates(0, staging.buffer, offset, bytes);
    } else if (bytes > 0) {
      pass.setBindGroup(1, group, [offset]);
      this.ring.advance();
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
        const { offset } = this.ring;
        const { staging, group } = this.ring.page;
        new Uint8Array(staging.buffer, offset, paramBytes).set(new Uint8Array(bytes, paramOffset, paramBytes));
        pass.setBindGroup(1, group, [offset]);
        this.ring.advance();
      } else if (paramBytes > 0) {
        if (live) tape.writeUniforms(paramOffset, paramBytes);
        pass.setBindGroup(1, tape.uniformGroup(this.pipelines.uniformBindGroupLayout()), [paramOffset]);
      }
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
      this.end(compiled.program, dispatch.params);
    }
    for (const buffer of tape.buffers) buffer.lastUse = this.serial;
  }

  /**
   * Records a tape into an encoder of the application's. What was recorded before has to reach the queue before that, and
   * is submitted. @throws GpuError if it may not be.
   */
  encode(tape: Tape, encoder: GPUCommandEncoder): void {
    if (this.encoder && !this.options.submitsAlone) {
      throw new GpuError(
        "Kernels that were recorded before are not submitted yet, and the queue is the application's: call gpu.submit() " +
          'before encode().',
      );
    }
    if (this.encoder) this.submit();
    this.encoder = encoder;
    this.isEncoderBorrowed = true;
    try {
      this.replay(tape);
    } finally {
      this.endPass();
      this.encoder = undefined;
      this.isEncoderBorrowed = false;
      this.recorded = 0;
      // What is written from now on comes after these commands only if the application has submitted them.
      this.serial += 1;
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

  /** Writes after everything recorded so far that touches the buffer: at queue time, or among the commands. */
  write(target: PooledBuffer, byteOffset: number, data: ArrayBufferView): void {
    if (this.tape) {
      this.upload(this.tape.upload(target, byteOffset, data));
      return;
    }
    const { submitsAlone, guard } = this.options;
    if (target.lastUse === this.serial) {
      if (!submitsAlone) {
        const source = stageUpload(this.device, data);
        this.upload({ source, target, byteOffset });
        this.retired.push(() => source.destroy());
        return;
      }
      this.submit();
    }
    guard('Writing to a buffer', () =>
      this.device.queue.writeBuffer(target.buffer, byteOffset, data.buffer, data.byteOffset, data.byteLength),
    );
    if (submitsAlone) target.lastUse = this.serial;
  }

  /**
   * Hands everything recorded to the queue. An empty submission still releases the memory of earlier writes.
   * @param what names the commands in errors.
   */
  submit(what = 'Submitted commands'): void {
    if (this.isEncoderBorrowed) return;
    this.options.guard(what, () => {
      this.endPass();
      if (this.encoder) this.timing?.timer.resolve(this.encoder);
      const commands = this.encoder?.finish();
      this.encoder = undefined;
      this.ring.write();
      this.device.queue.submit(commands ? [commands] : []);
    });
    this.recorded = 0;
    this.serial += 1;
    this.submitCount += 1;
    for (const free of this.retired.splice(0)) free();
  }

  /** Calls `free` once no command that is still to be submitted needs what it frees. */
  retire(free: () => void): void {
    if (this.options.submitsAlone) this.submit();
    if (this.encoder) this.retired.push(free);
    else free();
  }

  destroy(): void {
    this.pass = undefined;
    this.encoder = undefined;
    for (const free of this.retired.splice(0)) free();
    this.ring.destroy();
  }

  private begin(compiled: CompiledProgram, bindGroup: GPUBindGroup): GPUComputePassEncoder {
    const pass = this.openPass();
    if (this.options.debug) pass.pushDebugGroup(compiled.program.name);
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
    const { debug, submitsAlone } = this.options;
    if (debug) this.pass?.popDebugGroup();
    if (this.timing?.perDispatch) this.endPass();
    // Making an iterator for nothing is noticed at a microsecond per dispatch.
    if (this.observers.size > 0) for (const observer of this.observers) observer(program, params);
    if (submitsAlone && (debug || this.recorded >= dispatchCap)) this.submit(`Kernel ${program.name}`);
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
}
