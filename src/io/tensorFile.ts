import type { ByteSource } from './byteSource.ts';
import { TensorFileError } from './errors.ts';
import { gatherStrided } from './strided.ts';
import { bytesOf, decodeFloats, decodeIntegers, type TensorDtype } from './tensorDtypes.ts';

/** How a file of tensors is written. */
export type TensorFormat = 'safetensors' | 'torch.save (zip)' | 'torch.save (legacy)';

/** Element type and shape of a stored tensor. */
export interface TensorInfo {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
}

/** Where a tensor lies. Readers have checked that all of it is inside the file. */
export interface TensorEntry extends TensorInfo {
  /** Byte of the first element. */
  readonly begin: number;
  /** Elements from one index to the next, per axis; absent where the elements follow each other in row-major order. */
  readonly strides?: readonly number[] | undefined;
}

export interface TensorFileContents {
  readonly format: TensorFormat;
  /** In the order in which `names` gives them. */
  readonly entries: ReadonlyMap<string, TensorEntry>;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Names of Python classes that were not recognised; their objects were left inert. */
  readonly stubs?: readonly string[];
}

/** Elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Tensors of a file by name. Nothing but the table of contents is in memory: a tensor is read and converted when it is
 * asked for, and not kept. Close it when the tensors are no longer needed.
 */
export class TensorFile {
  readonly format: TensorFormat;
  /** What the file says beside its tensors: safetensors' metadata, or the numbers and texts of a checkpoint. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly stubs: readonly string[];
  private readonly source: ByteSource;
  private readonly entries: ReadonlyMap<string, TensorEntry>;

  constructor(source: ByteSource, { format, entries, metadata = {}, stubs = [] }: TensorFileContents) {
    this.source = source;
    this.format = format;
    this.metadata = metadata;
    this.stubs = stubs;
    this.entries = entries;
  }

  /** Name of the file, for error messages. */
  get file(): string {
    return this.source.name;
  }

  /** Names in the order of the file. */
  names(): string[] {
    return [...this.entries.keys()];
  }

  /** Whether the file has a tensor of this name. */
  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** @throws TensorFileError if the file has no such tensor. */
  info(name: string): TensorInfo {
    return this.entry(name);
  }

  /** The elements as little-endian bytes in row-major order. @throws TensorFileError as `info`. */
  bytes(name: string): Uint8Array<ArrayBuffer> {
    const { dtype, shape, begin, strides } = this.entry(name);
    if (strides) return gatherStrided(this.source, begin, shape, strides, bytesOf[dtype]);
    return this.source.read(begin, elementCount(shape) * bytesOf[dtype]);
  }

  /** A tensor of floating point numbers (F64, F32, F16, BF16) as float32. @throws TensorFileError for another dtype. */
  tensor(name: string): { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> } {
    const { dtype, shape } = this.entry(name);
    const data = decodeFloats(dtype, this.bytes(name).buffer);
    if (data) return { shape, data };
    throw new TensorFileError(`${this.file}: tensor ${name} holds ${dtype}, expected F32, F16, BF16 or F64.`);
  }

  /** A tensor of whole numbers or truth values as int32. @throws TensorFileError for another dtype or larger numbers. */
  integers(name: string): { readonly shape: readonly number[]; readonly data: Int32Array<ArrayBuffer> } {
    const { dtype, shape } = this.entry(name);
    const stored = decodeIntegers(dtype, this.bytes(name).buffer);
    if (!stored) {
      throw new TensorFileError(`${this.file}: tensor ${name} holds ${dtype}, expected I64, I32, I16, I8, U8 or BOOL.`);
    }
    const data = new Int32Array(stored.length);
    for (const [i, value] of stored.entries()) {
      data[i] = Number(value);
      if (BigInt(data[i] ?? 0) !== BigInt(value)) {
        throw new TensorFileError(`${this.file}: element ${i} of tensor ${name} is ${value}, more than 32 bits hold.`);
      }
    }
    return { shape, data };
  }

  /** Lets go of the file. */
  close(): void {
    this.source.close();
  }

  /** As `close`, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  private entry(name: string): TensorEntry {
    const entry = this.entries.get(name);
    if (entry) return entry;
    const some = this.names().slice(0, 3).join(', ');
    throw new TensorFileError(
      `${this.file} has no tensor ${name}; it has ${this.entries.size}, starting with ${some}.`,
    );
  }
}
