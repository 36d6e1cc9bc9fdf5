import { z } from 'zod';
import type { HostTensor } from './compare.ts';
import { FixtureError } from './errors.ts';

export interface StoredTensor extends HostTensor {
  readonly dtype: 'f32' | 'i32';
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

const header = z.record(
  z.string(),
  z.object({
    dtype: z.enum(['F32', 'I32']),
    shape: z.array(z.int().nonnegative()),
    data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
  }),
);

/** The tensors of a safetensors file; each is copied out when it is asked for. */
export class TensorFile {
  private readonly file: string;
  private readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly entries: z.infer<typeof header>;
  private readonly start: number;

  /** @throws FixtureError if the bytes are not a safetensors file with f32 and i32 tensors. */
  constructor(file: string, bytes: Uint8Array<ArrayBuffer>) {
    this.file = file;
    this.bytes = bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const headerBytes = bytes.length < 8 ? Number.NaN : Number(view.getBigUint64(0, true));
    if (!(headerBytes <= bytes.length - 8)) throw new FixtureError(`${file} is not a safetensors file, or is cut off.`);
    this.start = 8 + headerBytes;
    let json: Record<string, unknown>;
    try {
      json = JSON.parse(new TextDecoder().decode(bytes.subarray(8, this.start)));
    } catch {
      throw new FixtureError(`${file} is not a safetensors file: its header is not JSON.`);
    }
    const { __metadata__: _, ...tensors } = json;
    const parsed = header.safeParse(tensors);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new FixtureError(
        `${file} has a header that is not understood: ${issue?.path.join('.')}: ${issue?.message}.`,
      );
    }
    this.entries = parsed.data;
  }

  /** @throws FixtureError if the tensor is missing, its bytes are, or its shape is not `shape` (when given). */
  get(name: string, shape?: readonly number[]): StoredTensor {
    const entry = Object.hasOwn(this.entries, name) ? this.entries[name] : undefined;
    if (!entry) throw new FixtureError(`${this.file} has no tensor "${name}".`);
    const [begin, end] = entry.data_offsets;
    const count = entry.shape.reduce((product, size) => product * size, 1);
    if (end - begin !== 4 * count || this.start + end > this.bytes.length) {
      throw new FixtureError(`${this.file}: tensor "${name}" does not have the bytes of its shape [${entry.shape}].`);
    }
    if (shape && shape.join() !== entry.shape.join()) {
      throw new FixtureError(`${this.file}: tensor "${name}" is [${entry.shape}], the manifest says [${shape}].`);
    }
    const data = this.bytes.slice(this.start + begin, this.start + end).buffer;
    return entry.dtype === 'F32'
      ? { dtype: 'f32', shape: entry.shape, data: new Float32Array(data) }
      : { dtype: 'i32', shape: entry.shape, data: new Int32Array(data) };
  }
}
