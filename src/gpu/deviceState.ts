import { GpuError } from './errors.ts';

/** Why a device was lost, in WebGPU's words. */
export interface LostEvent {
  readonly reason: string;
  readonly message: string;
}

/** Nothing of the engine's aborts what it waits for. Chromium has told of a loss seconds later, when the GPU was busy. */
const abortedPatienceMs = 10_000;

/** Whether a device can be used, and the first of its errors that nobody was told of yet. */
export class DeviceState {
  private state: 'ready' | 'lost' | 'disposed' = 'ready';
  private failure: GpuError | undefined;
  private readonly listeners = new Set<(event: LostEvent) => void>();
  private readonly device: GPUDevice;
  private readonly loss: Promise<void>;

  /** @param ownsErrors whether errors that nobody scoped are the engine's. */
  constructor(device: GPUDevice, ownsErrors: boolean) {
    this.device = device;
    if (ownsErrors) device.addEventListener('uncapturederror', this.onUncapturedError);
    this.loss = device.lost.then((info) => this.onLost(info));
  }

  get isDisposed(): boolean {
    return this.state === 'disposed';
  }

  get isLost(): boolean {
    return this.state === 'lost';
  }

  onDeviceLost(listener: (event: LostEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @throws GpuError if the device cannot be used, or has reported an error since the last check. */
  check(): void {
    if (this.isDisposed) throw new GpuError('This Gpu was disposed; make a new one with createGpu().');
    this.throwFailure();
  }

  /** Reports an error once: a lost device stays lost, after any other the device is usable again. */
  throwFailure(): void {
    const { failure } = this;
    if (!this.isLost) this.failure = undefined;
    if (failure) throw failure;
  }

  /** Keeps an error for the next check. */
  readonly fail = (what: string, error: GPUError): void => {
    this.failure ??= new GpuError(
      error instanceof GPUOutOfMemoryError
        ? `The GPU is out of memory: ${error.message}. Use a smaller batch or smaller images.`
        : `${what}: ${error.message}`,
    );
  };

  /** Whether a promise of the device failed because the device is lost, which the device may say only after it. */
  async isLossBehind(error: unknown): Promise<boolean> {
    const isAborted = error instanceof Error && error.name === 'AbortError';
    let timer: ReturnType<typeof setTimeout> | undefined;
    const waited = new Promise<void>((done) => {
      timer = setTimeout(done, isAborted ? abortedPatienceMs : 0);
    });
    await Promise.race([this.loss, waited]);
    clearTimeout(timer);
    return this.isLost;
  }

  /** The device is not used any more. */
  dispose(): void {
    this.state = 'disposed';
    this.device.removeEventListener('uncapturederror', this.onUncapturedError);
  }

  private readonly onUncapturedError = ({ error }: GPUUncapturedErrorEvent): void => {
    this.fail('WebGPU reported an error', error);
  };

  private onLost({ reason, message }: GPUDeviceLostInfo): void {
    if (this.state !== 'ready') return;
    this.state = 'lost';
    this.failure = new GpuError(`The GPU device was lost (${reason}): ${message}`);
    for (const listener of this.listeners) listener({ reason, message });
  }
}
