/** When a compute pass ran, in microseconds of the GPU's own clock from the beginning of the first one. */
export interface PassSpan {
  readonly startUs: number;
  readonly us: number;
}

/** Queries of one set, WebGPU's largest: enough for a pass per command of a submission. */
const queriesPerSet = 4096;
const queryBytes = 8;

/** Measures compute passes by timestamp queries. Made for one measurement; the device must have `timestamp-query`. */
export class PassTimer {
  private readonly device: GPUDevice;
  private readonly queries: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  /** Timestamps of every submission, two for each of its passes. */
  private readonly readbacks: { readonly buffer: GPUBuffer; readonly bytes: number }[] = [];
  private used = 0;

  constructor(device: GPUDevice) {
    this.device = device;
    this.queries = device.createQuerySet({ type: 'timestamp', count: queriesPerSet });
    this.resolved = device.createBuffer({
      label: 'timestamps',
      size: queriesPerSet * queryBytes,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
  }

  /** Whether the queries of the set are used up; what is encoded has to be resolved then. */
  get isFull(): boolean {
    return this.used === queriesPerSet;
  }

  /** The queries of the next pass. */
  nextPass(): GPUComputePassTimestampWrites {
    const first = this.used;
    this.used += 2;
    return { querySet: this.queries, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 };
  }

  /** Copies the timestamps of the passes of an encoder, behind the last of them; then the queries are free again. */
  resolve(encoder: GPUCommandEncoder): void {
    if (this.used === 0) return;
    const bytes = this.used * queryBytes;
    const buffer = this.device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    encoder.resolveQuerySet(this.queries, 0, this.used, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, buffer, 0, bytes);
    this.readbacks.push({ buffer, bytes });
    this.used = 0;
  }

  /** One span per pass, in the order of the passes. Everything resolved must have been submitted. */
  async read(): Promise<PassSpan[]> {
    const spans: PassSpan[] = [];
    let origin: bigint | undefined;
    for (const { buffer, bytes } of this.readbacks) {
      await buffer.mapAsync(GPUMapMode.READ, 0, bytes);
      const times = new BigUint64Array(buffer.getMappedRange(0, bytes));
      for (let i = 0; i < times.length; i += 2) {
        const [begin = 0n, end = 0n] = times.subarray(i, i + 2);
        origin ??= begin;
        // WebGPU allows clocks that jump back; such a pass counts as nothing.
        spans.push({ startUs: Number(begin - origin) / 1000, us: Math.max(0, Number(end - begin) / 1000) });
      }
      buffer.unmap();
    }
    return spans;
  }

  destroy(): void {
    this.queries.destroy();
    this.resolved.destroy();
    for (const { buffer } of this.readbacks) buffer.destroy();
  }
}
