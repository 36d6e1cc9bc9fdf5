/** Idle buffers that are kept for the next readback. */
const kept = 4;
const smallest = 256;

/** Mappable buffers that values are copied to on their way to the host. */
export class Readbacks {
  private readonly idle: GPUBuffer[] = [];
  private readonly device: GPUDevice;

  constructor(device: GPUDevice) {
    this.device = device;
  }

  /** A buffer of at least `bytes`; one that is kept if it is not much larger. */
  take(bytes: number): GPUBuffer {
    const index = this.idle.findIndex((buffer) => buffer.size >= bytes && buffer.size <= bytes * 4);
    const [known] = index >= 0 ? this.idle.splice(index, 1) : [];
    const size = Math.max(smallest, bytes);
    return known ?? this.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  }

  /** Takes back an unmapped buffer. */
  giveBack(buffer: GPUBuffer): void {
    if (this.idle.length < kept) this.idle.push(buffer);
    else buffer.destroy();
  }

  destroy(): void {
    for (const buffer of this.idle) buffer.destroy();
  }
}
