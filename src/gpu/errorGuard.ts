/** Runs `body`; errors that WebGPU reports about it are told of under the name `what`. */
export type Guard = <T>(what: string, body: () => T) => T;

/** Leaves errors to the device's `uncapturederror`. */
export const unguarded: Guard = (_what, body) => body();

const filters: readonly GPUErrorFilter[] = ['validation', 'out-of-memory', 'internal'];

/**
 * Error scopes around what the engine asks of a device. On a device that is shared with an application or with another
 * engine, they tell whose error it was; scopes never stay open, so those of the application nest with them.
 */
export class ErrorGuard {
  private readonly device: GPUDevice;
  private readonly onError: (what: string, error: GPUError) => void;
  private readonly pending = new Set<Promise<void>>();

  constructor(device: GPUDevice, onError: (what: string, error: GPUError) => void) {
    this.device = device;
    this.onError = onError;
  }

  readonly run: Guard = (what, body) => {
    for (const filter of filters) this.device.pushErrorScope(filter);
    try {
      return body();
    } finally {
      for (const _ of filters) this.popScope(what);
    }
  };

  /** Waits until the device has judged everything so far. */
  async settled(): Promise<void> {
    await Promise.all(this.pending);
  }

  private popScope(what: string): void {
    const verdict = this.device.popErrorScope().then(
      (error) => {
        if (error) this.onError(what, error);
      },
      // A lost device has no verdicts any more, and says itself that it is lost.
      () => undefined,
    );
    this.pending.add(verdict);
    void verdict.then(() => this.pending.delete(verdict));
  }
}
