/**
 * Measures how long the GPU had nothing to do because the next batch was not there. Waiting counts from the moment when
 * the last recorded step was done: before that the GPU works, however long the batch takes.
 */
export class DataWait {
  private readonly now: () => number;
  private steps = 0;
  private idleSince: number | undefined;
  private waited = 0;

  /** @param now the time in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.idleSince = now();
  }

  /** Milliseconds so far. */
  get milliseconds(): number {
    return this.waited;
  }

  /** Waits for a batch. */
  async for<T>(batch: Promise<T>): Promise<T> {
    const asked = this.now();
    const value = await batch;
    if (this.idleSince !== undefined) this.waited += this.now() - Math.max(asked, this.idleSince);
    return value;
  }

  /** A step was recorded, and `done` settles when the GPU is through with it. */
  busyUntil(done: Promise<unknown>): void {
    const step = ++this.steps;
    this.idleSince = undefined;
    const idle = (): void => {
      if (step === this.steps) this.idleSince = this.now();
    };
    done.then(idle, idle);
  }
}
