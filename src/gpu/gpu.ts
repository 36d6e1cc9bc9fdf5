import type { AdapterSummary } from './adapter.ts';
import type { MemoryReport, PooledBuffer, PoolOptions } from './buffers.ts';
import { BufferPool, MemoryMeter } from './buffers.ts';
import { Captured, CaptureMemory } from './capture.ts';
import { DeviceState, type LostEvent } from './deviceState.ts';
import { ErrorGuard, type Guard, unguarded } from './errorGuard.ts';
import { GpuError } from './errors.ts';
import type { LiveParams } from './params.ts';
import type { PassSpan } from './passTimer.ts';
import { PassTimer } from './passTimer.ts';
import type { BoundRange, Program, Workgroups } from './pipelines.ts';
import { PipelineCache } from './pipelines.ts';
import { Readbacks } from './readbacks.ts';
import type { Counters, DispatchObserver } from './recorder.ts';
import { Recorder } from './recorder.ts';
import { ScopeStack } from './scope.ts';

/** How an engine treats its device. */
export interface GpuOptions {
  /** Name the kernel in every error, and report leaked buffers. Slow, since each dispatch is submitted alone if it may be. */
  readonly debug?: boolean;
  /** Bytes of freed buffers that are kept for reuse; 1 GiB by default. */
  readonly maxPooledBytes?: number;
  /** Pace of `mapAsync` polling; Node's software adapters need the core that the polling would spin on. */
  readonly wait?: <T>(promise: Promise<T>) => Promise<T>;
  /**
   * True when the application owns the device: `dispose` then leaves it alive, and nothing is submitted but by `submit`,
   * `flush`, `finish` and what reads or measures. The engine's errors are thrown by its own methods, those of others are not.
   */
  readonly borrowed?: boolean;
}

/** Flushes that may be in flight before `flush` waits for the oldest one. */
const maxInFlight = 2;

/**
 * Captures never give buffers back, so theirs serve smaller tensors too. For the paper's step (batch 128 in chunks of 16)
 * the pool then has 3.1 GiB instead of 4.5; 2 and 16 come out at 3.4 (docs/decisions/big-batches.md).
 */
const captureSlack = 4;

/**
 * A WebGPU device with everything the engine keeps beside it: buffers, pipelines, the open command encoder and scopes.
 * Made by `createGpu` (Node, browsers) or `wrapDevice`.
 */
export class Gpu {
  readonly device: GPUDevice;
  readonly adapter: AdapterSummary;
  readonly debug: boolean;
  readonly scopes = new ScopeStack();
  readonly pipelines: PipelineCache;
  private readonly recorder: Recorder;
  private readonly meter = new MemoryMeter();
  private readonly pool: BufferPool;
  /** Pools of captures that are not disposed. */
  private readonly captures = new Set<BufferPool>();
  /** The pool of the function that is being captured. */
  private capturing: BufferPool | undefined;
  private readonly wait: <T>(promise: Promise<T>) => Promise<T>;
  private readonly borrowed: boolean;
  /** Where errors of the device may be those of others, or have to be told apart. */
  private readonly errors: ErrorGuard | undefined;
  private readonly guard: Guard;
  private readonly inFlight: Promise<undefined>[] = [];
  private readonly leaks = new FinalizationRegistry<PooledBuffer>((buffer) => {
    this.leaked.push(buffer.size);
    this.release(buffer);
  });
  private readonly leaked: number[] = [];
  private readonly readbacks: Readbacks;
  private readonly state: DeviceState;
  /** Makes another Gpu in the way in which this one was made, for `recover`; undefined where that is not the engine's to do. */
  readonly reopen: (() => Promise<Gpu>) | undefined;

  constructor(device: GPUDevice, adapter: AdapterSummary, options: GpuOptions = {}, reopen?: () => Promise<Gpu>) {
    this.device = device;
    this.adapter = adapter;
    this.reopen = reopen;
    this.debug = options.debug ?? false;
    this.wait = options.wait ?? ((promise) => promise);
    this.borrowed = options.borrowed ?? false;
    const immediates =
      'setImmediates' in GPUComputePassEncoder.prototype &&
      (device.limits as { maxImmediateSize?: number }).maxImmediateSize;
    this.state = new DeviceState(device, !this.borrowed);
    if (this.borrowed || this.debug) this.errors = new ErrorGuard(device, this.state.fail);
    this.guard = this.errors?.run ?? unguarded;
    this.pipelines = new PipelineCache(device, Boolean(immediates), this.guard);
    this.pool = this.newPool({ maxPooledBytes: options.maxPooledBytes ?? 2 ** 30 });
    this.recorder = new Recorder(device, this.pipelines, {
      guard: this.guard,
      submitsAlone: !this.borrowed,
      debug: this.debug,
    });
    this.readbacks = new Readbacks(device);
  }

  get isDisposed(): boolean {
    return this.state.isDisposed;
  }

  /** Whether the device is gone for good, and with it everything that lay on it; see `recover`. */
  get isLost(): boolean {
    return this.state.isLost;
  }

  /** Whether `capture` is running a function. */
  get isCapturing(): boolean {
    return this.capturing !== undefined;
  }

  get counters(): Counters {
    return this.recorder.counters;
  }

  /** Calls `listener` once if the device is lost (not when it is disposed). */
  onDeviceLost(listener: (event: LostEvent) => void): () => void {
    return this.state.onDeviceLost(listener);
  }

  /** A buffer of at least so many bytes, for an array; `release` gives it back. */
  acquire(bytes: number): PooledBuffer {
    this.check();
    return (this.capturing ?? this.pool).acquire(bytes);
  }

  /** A buffer of the application's, which it keeps: what is released is only what the engine knows of it. */
  adopt(buffer: GPUBuffer): PooledBuffer {
    this.check();
    return this.pool.adopt(buffer);
  }

  /** Gives a buffer back for reuse. */
  release(buffer: PooledBuffer): void {
    if (!this.isDisposed) buffer.pool.release(buffer);
  }

  /** In debug mode, reports `buffer` as leaked if `owner` is collected before it was disposed. */
  watchLeak(owner: object, buffer: PooledBuffer): void {
    if (this.debug) this.leaks.register(owner, buffer, owner);
  }

  /** Ends `watchLeak`: the owner was disposed. */
  unwatchLeak(owner: object): void {
    if (this.debug) this.leaks.unregister(owner);
  }

  /** Sizes in bytes of buffers whose tensors were collected without being disposed (debug mode only). */
  leakReport(): readonly number[] {
    return [...this.leaked];
  }

  /** Buffers of tensors and of captures. */
  memoryReport(): MemoryReport {
    const reports = [this.pool, ...this.captures].map((pool) => pool.report());
    const total = (field: keyof (typeof reports)[number]): number =>
      reports.reduce((sum, report) => sum + report[field], 0);
    return {
      liveBytes: total('liveBytes'),
      liveBuffers: total('liveBuffers'),
      pooledBytes: total('pooledBytes'),
      pooledBuffers: total('pooledBuffers'),
      peakBytes: this.meter.peakBytes,
      peakAllocatedBytes: this.meter.peakAllocatedBytes,
    };
  }

  /** Lets `memoryReport().peakBytes` begin again from what is live now. */
  resetPeakMemory(): void {
    this.meter.resetPeak();
  }

  /** Records one dispatch; nothing waits. Made by what `defineKernel` returns. */
  dispatch(
    program: Program,
    ranges: readonly BoundRange[],
    params: Readonly<Record<string, number>>,
    workgroups: Workgroups,
    live?: LiveParams,
  ): void {
    this.check();
    this.recorder.dispatch(program, ranges, params, workgroups, live);
  }

  /** Records a write of host data into a buffer, in order with the kernels around it. */
  write(target: PooledBuffer, byteOffset: number, data: ArrayBufferView): void {
    this.check();
    this.recorder.write(target, byteOffset, data);
  }

  /** Copies a range to the host. Waits for everything recorded before. */
  async read(range: BoundRange): Promise<ArrayBuffer> {
    this.check();
    if (this.capturing) throw new GpuError('A captured function cannot read values back; return the tensor instead.');
    const bytes = Math.ceil(range.byteLength / 4) * 4;
    const staging = this.guard(`Reading ${bytes} bytes back`, () => this.readbacks.take(bytes));
    this.recorder.copy(range, staging, 0);
    this.recorder.submit();
    await this.settle(staging.mapAsync(GPUMapMode.READ, 0, bytes));
    const copy = staging.getMappedRange(0, bytes).slice(0, range.byteLength);
    staging.unmap();
    this.readbacks.giveBack(staging);
    await this.errors?.settled();
    this.state.throwFailure();
    return copy;
  }

  /** Calls `observer` for every dispatch that is recorded, until the returned function is called. */
  onDispatch(observer: DispatchObserver): () => void {
    this.recorder.observers.add(observer);
    return () => this.recorder.observers.delete(observer);
  }

  /**
   * GPU time of every compute pass that `body` records, in order. A pass holds many dispatches unless `perDispatch` is
   * set; see `profile` for what each of those is. Nothing else may be recorded meanwhile.
   * @throws GpuError if the device has no timestamp queries.
   */
  async timePasses(
    body: () => void | Promise<void>,
    options: { readonly perDispatch?: boolean } = {},
  ): Promise<PassSpan[]> {
    this.check();
    if (!this.device.features.has('timestamp-query')) {
      throw new GpuError('This device has no timestamp queries, so the time of its kernels cannot be measured.');
    }
    const timer = new PassTimer(this.device);
    this.recorder.startTiming(timer, options.perDispatch ?? false);
    try {
      try {
        await body();
      } finally {
        this.recorder.stopTiming();
      }
      const spans = await this.settle(timer.read());
      this.state.throwFailure();
      return spans;
    } finally {
      timer.destroy();
    }
  }

  /** Runs `body` and disposes every tensor made in it, except those it returns. */
  scope<T>(body: () => T): T {
    return this.scopes.run(body);
  }

  /**
   * Runs `body` once, and keeps its kernels for `Captured.run`: no shape is checked, no memory is asked for and no
   * parameter is packed again. Its buffers come from a pool of their own, planned by the order in which `body` frees
   * them; those it uses from outside are kept until the capture is disposed. `body` must not read anything back.
   * @param memory shared with other captures; of its own if left out. With shared memory, dispose the result as well.
   * @throws GpuError if another function is being captured.
   */
  capture<T>(body: () => T, memory?: CaptureMemory): Captured<T> {
    this.check();
    if (this.capturing) throw new GpuError('A function is being captured already; captures cannot be nested.');
    const { recorder } = this;
    const arena = memory ?? this.captureMemory();
    const { pool } = arena;
    this.capturing = pool;
    const outside: PooledBuffer[] = [];
    recorder.capture((buffer) => {
      if (buffer.pool === pool) return;
      outside.push(buffer);
      buffer.pool.hold(buffer);
    });
    let result: T | undefined;
    let failure: unknown;
    const before = this.counters.dispatches;
    try {
      result = this.scope(body);
    } catch (error) {
      failure = error;
    }
    this.capturing = undefined;
    const tape = recorder.endCapture();
    const end = (): void => {
      if (this.isDisposed) return;
      for (const buffer of outside) buffer.pool.unhold(buffer);
      recorder.retire(() => {
        tape.destroy();
        if (!memory) arena.dispose();
      });
    };
    if (failure !== undefined) {
      end();
      throw failure;
    }
    const replay = (encoder?: GPUCommandEncoder): void => {
      this.check();
      if (encoder) recorder.encode(tape, encoder);
      else recorder.replay(tape);
    };
    return new Captured(result as T, this.counters.dispatches - before, replay, end);
  }

  /** Memory that several captures use in turn. The caller disposes it, after the captures. */
  captureMemory(): CaptureMemory {
    const pool = this.newPool({ maxPooledBytes: Number.POSITIVE_INFINITY, slack: captureSlack });
    this.captures.add(pool);
    return new CaptureMemory(pool, () => {
      this.captures.delete(pool);
      if (!this.isDisposed) pool.destroy();
    });
  }

  /** Submits what was recorded, so that what the application submits next finds its results. Nothing waits. */
  submit(): void {
    this.check();
    this.recorder.submit();
  }

  /**
   * Submits what was recorded and waits only while more than two flushes are in flight.
   * @throws GpuError if a kernel failed validation or the device was lost.
   */
  async flush(): Promise<void> {
    this.check();
    this.recorder.submit();
    this.pool.trim();
    this.inFlight.push(this.device.queue.onSubmittedWorkDone());
    while (this.inFlight.length > maxInFlight) {
      const oldest = this.inFlight.shift();
      if (oldest) await this.settle(oldest);
    }
    this.state.throwFailure();
  }

  /** Submits and waits until the queue is idle. */
  async finish(): Promise<void> {
    this.check();
    this.recorder.submit();
    this.inFlight.length = 0;
    await this.settle(this.device.queue.onSubmittedWorkDone());
    await this.errors?.settled();
    this.state.throwFailure();
  }

  /** Frees every buffer and, unless the application owns it, the device. May be called again. */
  dispose(): void {
    if (this.isDisposed) return;
    this.state.dispose();
    this.recorder.destroy();
    this.pool.destroy();
    for (const pool of this.captures) pool.destroy();
    this.readbacks.destroy();
    if (!this.borrowed) this.device.destroy();
  }

  /** As `dispose`, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private newPool(options: PoolOptions): BufferPool {
    const { device, pipelines, guard, meter } = this;
    return new BufferPool(device, { ...options, guard }, (id) => pipelines.forgetBuffer(id), meter);
  }

  private check(): void {
    this.state.check();
  }

  /** Waits for the device. @throws GpuError if it is lost meanwhile. */
  private async settle<T>(promise: Promise<T>): Promise<T> {
    try {
      return await this.wait(promise);
    } catch (error) {
      if (await this.state.isLossBehind(error)) this.state.throwFailure();
      throw error;
    }
  }
}
