/** Distance between two parameter blocks: WebGPU's largest offset alignment. */
export const slotBytes = 256;

/** A page of parameter blocks: the host's copy and the uniform buffer that it is written to. */
export interface ParamPage {
  readonly staging: DataView<ArrayBuffer>;
  readonly buffer: GPUBuffer;
  readonly group: GPUBindGroup;
}

/**
 * Parameters that do not travel as immediates, a slot for each dispatch of a submission. There is one page of them; where
 * submissions have no limit, because the application decides about them, there are as many as one of them takes.
 */
export class ParamRing {
  private readonly device: GPUDevice;
  private readonly layout: () => GPUBindGroupLayout;
  private readonly slotsPerPage: number;
  private readonly pages: ParamPage[] = [];
  private used = 0;

  constructor(device: GPUDevice, layout: () => GPUBindGroupLayout, slotsPerPage: number) {
    this.device = device;
    this.layout = layout;
    this.slotsPerPage = slotsPerPage;
  }

  /** The page of the next slot. */
  get page(): ParamPage {
    const index = Math.floor(this.used / this.slotsPerPage);
    const known = this.pages[index];
    if (known) return known;
    const made = this.newPage();
    this.pages.push(made);
    return made;
  }

  /** Where the next slot begins on its page. */
  get offset(): number {
    return (this.used % this.slotsPerPage) * slotBytes;
  }

  /** The slot is taken; what was packed into it reaches the GPU with `write`. */
  advance(): void {
    this.used += 1;
  }

  /** Writes what was taken, for the commands that are submitted next, and begins again. */
  write(): void {
    for (const [i, { buffer, staging }] of this.pages.entries()) {
      const slots = Math.min(this.used - i * this.slotsPerPage, this.slotsPerPage);
      if (slots <= 0) break;
      this.device.queue.writeBuffer(buffer, 0, staging.buffer, 0, slots * slotBytes);
    }
    this.used = 0;
  }

  destroy(): void {
    for (const { buffer } of this.pages) buffer.destroy();
  }

  private newPage(): ParamPage {
    const size = slotBytes * this.slotsPerPage;
    const buffer = this.device.createBuffer({
      label: 'params',
      size,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    const group = this.device.createBindGroup({
      layout: this.layout(),
      entries: [{ binding: 0, resource: { buffer, size: slotBytes } }],
    });
    return { staging: new DataView(new ArrayBuffer(size)), buffer, group };
  }
}
