import { bfloat16ToFloat32, float16ToFloat32 } from './halfFloat.ts';

/** A file of tensors cannot be used. The message names the file and, where it applies, the tensor. */
export class TensorFileError extends Error {
  override readonly name = 'TensorFileError';
}

const bytesOf = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
} as const;

export type SafetensorsDtype = keyof typeof bytesOf;

export interface TensorInfo {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
}

interface Entry extends TensorInfo {
  /** Bytes, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

/** A safetensors file in memory. A tensor is copied out and converted when it is asked for, and not kept. */
export class SafetensorsFile {
  readonly file: string;
  readonly metadata: Readonly<Record<string, string>>;
  private readonly entries: ReadonlyMap<string, Entry>;
  private readonly data: Uint8Array;

  constructor(
    file: string,
    metadata: Readonly<Record<string, string>>,
    entries: ReadonlyMap<string, Entry>,
    data: Uint8Array,
  ) {
    this.file = file;
    this.metadata = metadata;
    this.entries = entries;
    this.data = data;
  }

  /** Names in the order of their data. */
  names(): string[] {
    return [...this.entries.keys()];
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  /** @throws TensorFileError if the file has no such tensor. */
  info(name: string): TensorInfo {
    return this.entry(name);
  }

  /** A tensor of floating point numbers (F64, F32, F16, BF16) as float32. @throws TensorFileError for another dtype. */
  tensor(name: string): { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> } {
    const { dtype, shape } = this.entry(name);
    const bytes = this.bytes(name);
    if (dtype === 'F32') return { shape, data: new Float32Array(bytes) };
    if (dtype === 'F16') return { shape, data: float16ToFloat32(new Uint16Array(bytes)) };
    if (dtype === 'BF16') return { shape, data: bfloat16ToFloat32(new Uint16Array(bytes)) };
    if (dtype === 'F64') return { shape, data: Float32Array.from(new Float64Array(bytes)) };
    throw new TensorFileError(`${this.file}: tensor ${name} holds ${dtype}, expected F32, F16, BF16 or F64.`);
  }

  /** A tensor of whole numbers (I64, I32, U8, BOOL) as int32. @throws TensorFileError for another dtype or larger numbers. */
  integers(name: string): { readonly shape: readonly number[]; readonly data: Int32Array<ArrayBuffer> } {
    const { dtype, shape } = this.entry(name);
    const bytes = this.bytes(name);
    if (dtype === 'I32') return { shape, data: new Int32Array(bytes) };
    if (dtype === 'U8' || dtype === 'BOOL') return { shape, data: Int32Array.from(new Uint8Array(bytes)) };
    if (dtype !== 'I64') {
      throw new TensorFileError(`${this.file}: tensor ${name} holds ${dtype}, expected I64, I32, U8 or BOOL.`);
    }
    const wide = new BigInt64Array(bytes);
    const data = new Int32Array(wide.length);
    for (const [i, value] of wide.entries()) {
      data[i] = Number(value);
      if (BigInt(data[i] ?? 0) !== value) {
        throw new TensorFileError(`${this.file}: element ${i} of tensor ${name} is ${value}, more than 32 bits hold.`);
      }
    }
    return { shape, data };
  }

  private entry(name: string): Entry {
    const entry = this.entries.get(name);
    if (entry) return entry;
    const some = this.names().slice(0, 3).join(', ');
    throw new TensorFileError(
      `${this.file} has no tensor ${name}; it has ${this.entries.size}, starting with ${some}.`,
    );
  }

  private bytes(name: string): ArrayBuffer {
    const { begin, end } = this.entry(name);
    return Uint8Array.from(this.data.subarray(begin, end)).buffer;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function parseEntry(file: string, name: string, value: unknown): Entry {
  const problem = (what: string): TensorFileError => new TensorFileError(`${file}: tensor ${name} ${what}.`);
  if (!isRecord(value)) throw problem('has no description in the header');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(bytesOf, dtype)) {
    throw problem(`has the unknown dtype ${JSON.stringify(dtype)}; expected one of ${Object.keys(bytesOf).join(', ')}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) throw problem(`has no valid shape: ${JSON.stringify(shape)}`);
  const [begin, end, ...more] = Array.isArray(offsets) ? (offsets as unknown[]) : [];
  if (!isSize(begin) || !isSize(end) || begin > end || more.length > 0) {
    throw problem(`has no valid data offsets: ${JSON.stringify(offsets)}`);
  }
  const known = dtype as SafetensorsDtype;
  const expected = (shape as number[]).reduce((product, size) => product * size, 1) * bytesOf[known];
  if (end - begin !== expected) {
    throw problem(
      `of shape [${shape.join(', ')}] and dtype ${dtype} takes ${expected} bytes, its offsets span ${end - begin}`,
    );
  }
  return { dtype: known, shape: shape as number[], begin, end };
}

/** Tensors have to cover the data one after the other, without overlap or holes. */
function checkCoverage(file: string, entries: readonly (readonly [string, Entry])[], dataBytes: number): void {
  let covered = 0;
  for (const [name, { begin, end }] of entries) {
    if (begin !== covered) {
      const what = begin < covered ? 'overlaps the tensor before it' : 'leaves unused bytes before it';
      throw new TensorFileError(`${file}: tensor ${name} ${what} (it starts at byte ${begin}, expected ${covered}).`);
    }
    covered = end;
  }
  if (covered !== dataBytes) {
    const what = covered > dataBytes ? 'is cut off' : 'has bytes that belong to no tensor';
    throw new TensorFileError(`${file} ${what}: its header describes ${covered} bytes of data, it has ${dataBytes}.`);
  }
}

/**
 * Opens a safetensors file that is in memory; only the header is read.
 * @param file name for error messages.
 * @throws TensorFileError if it is no safetensors file, is cut off, or its tensors overlap or leave holes.
 */
export function readSafetensors(content: Uint8Array | ArrayBuffer, file: string): SafetensorsFile {
  const bytes = content instanceof Uint8Array ? content : new Uint8Array(content);
  const notOne = (why: string): TensorFileError => new TensorFileError(`${file} is not a safetensors file: ${why}.`);
  if (bytes.length < 8) throw notOne(`it has ${bytes.length} bytes, the header length alone takes 8`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(bytes.length - 8)) {
    throw notOne(`its header would take ${length} bytes, only ${bytes.length - 8} follow. It may be cut off`);
  }
  const start = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch {
    throw notOne('its header is not JSON');
  }
  if (!isRecord(header)) throw notOne('its header is not a JSON object');
  const { __metadata__: metadata = {}, ...described } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw new TensorFileError(`${file}: __metadata__ has to map strings to strings.`);
  }
  const entries = Object.entries(described).map(([name, value]) => [name, parseEntry(file, name, value)] as const);
  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  checkCoverage(file, entries, bytes.length - start);
  return new SafetensorsFile(file, metadata as Record<string, string>, new Map(entries), bytes.subarray(start));
}

/** What can be written: float32 as F32, int32 as I32, 64-bit integers as I64. */
export interface WritableTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array;
}

function dtypeOf(data: WritableTensor['data']): SafetensorsDtype {
  if (data instanceof Float32Array) return 'F32';
  return data instanceof Int32Array ? 'I32' : 'I64';
}

/**
 * The parts of a safetensors file in order, so that it can be written without existing in one piece.
 * @throws TensorFileError if the elements of a tensor do not fill its shape.
 */
export function* safetensorsChunks(
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array> {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let begin = 0;
  for (const [name, { shape, data }] of tensors) {
    const count = shape.reduce((product, size) => product * size, 1);
    if (count !== data.length || name === '__metadata__') {
      throw new TensorFileError(
        `Tensor ${name} of shape [${shape.join(', ')}] cannot be written with ${data.length} elements.`,
      );
    }
    header[name] = { dtype: dtypeOf(data), shape, data_offsets: [begin, begin + data.byteLength] };
    begin += data.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(json, 8);
  yield head;
  for (const { data } of tensors.values()) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A whole safetensors file in memory. @throws TensorFileError as `safetensorsChunks`. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const chunks = [...safetensorsChunks(tensors, metadata)];
  const file = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    file.set(chunk, at);
    at += chunk.length;
  }
  return file;
}
