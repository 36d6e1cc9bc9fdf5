import { type ByteSource, bytesSource } from './byteSource.ts';
import { TensorFileError } from './errors.ts';
import { bytesOf, isTensorDtype, type TensorDtype } from './tensorDtypes.ts';
import { elementCount, TensorFile } from './tensorFile.ts';

interface Entry {
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  /** Bytes, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

/** As the reference implementation: a longer header is an attack or another format. */
const longestHeader = 100_000_000;

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
  if (!isTensorDtype(dtype)) {
    throw problem(`has the unknown dtype ${JSON.stringify(dtype)}; expected one of ${Object.keys(bytesOf).join(', ')}`);
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) throw problem(`has no valid shape: ${JSON.stringify(shape)}`);
  const [begin, end, ...more] = Array.isArray(offsets) ? (offsets as unknown[]) : [];
  if (!isSize(begin) || !isSize(end) || begin > end || more.length > 0) {
    throw problem(`has no valid data offsets: ${JSON.stringify(offsets)}`);
  }
  const expected = elementCount(shape as number[]) * bytesOf[dtype];
  if (end - begin !== expected) {
    throw problem(
      `of shape [${shape.join(', ')}] and dtype ${dtype} takes ${expected} bytes, its offsets span ${end - begin}`,
    );
  }
  return { dtype, shape: shape as number[], begin, end };
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

function parseHeader(name: string, text: Uint8Array): Readonly<Record<string, unknown>> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch {
    throw new TensorFileError(`${name} is not a safetensors file: its header is not JSON.`);
  }
  if (isRecord(header)) return header;
  throw new TensorFileError(`${name} is not a safetensors file: its header is not a JSON object.`);
}

/**
 * Reads the header of a safetensors file; tensors are read when they are asked for.
 * @throws TensorFileError if it is no safetensors file, is cut off, or its tensors overlap or leave holes.
 */
export function openSafetensors(source: ByteSource): TensorFile {
  const { name: file, size } = source;
  const notOne = (why: string): TensorFileError => new TensorFileError(`${file} is not a safetensors file: ${why}.`);
  if (size < 8) throw notOne(`it has ${size} bytes, the header length alone takes 8`);
  const length = new DataView(source.read(0, 8).buffer).getBigUint64(0, true);
  if (length > BigInt(size - 8)) {
    throw notOne(`its header would take ${length} bytes, only ${size - 8} follow. It may be cut off`);
  }
  if (length > longestHeader) throw notOne(`its header would take ${length} bytes, more than ${longestHeader}`);
  const start = 8 + Number(length);
  const { __metadata__: metadata = {}, ...described } = parseHeader(file, source.read(8, Number(length)));
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    throw new TensorFileError(`${file}: __metadata__ has to map strings to strings.`);
  }
  const entries = Object.entries(described).map(([name, value]) => [name, parseEntry(file, name, value)] as const);
  entries.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  checkCoverage(file, entries, size - start);
  const placed = entries.map(
    ([name, { dtype, shape, begin }]) => [name, { dtype, shape, begin: start + begin }] as const,
  );
  return new TensorFile(source, {
    format: 'safetensors',
    entries: new Map(placed),
    metadata: metadata as Record<string, string>,
  });
}

/**
 * Opens a safetensors file that is in memory.
 * @param file name for error messages.
 * @throws TensorFileError as `openSafetensors`.
 */
export function readSafetensors(content: Uint8Array | ArrayBuffer, file: string): TensorFile {
  return openSafetensors(bytesSource(file, content));
}

/** What can be written: float32 as F32, int32 as I32, 64-bit integers as I64. */
export interface WritableTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | BigInt64Array;
}

/** A tensor whose bytes (little-endian, row-major) are made when they are written, so that they need not all exist at once. */
export interface LazyTensor {
  readonly shape: readonly number[];
  readonly dtype: TensorDtype;
  readonly bytes: () => Uint8Array;
}

function dtypeOf(data: WritableTensor['data']): TensorDtype {
  if (data instanceof Float32Array) return 'F32';
  return data instanceof Int32Array ? 'I32' : 'I64';
}

function asLazy(name: string, { shape, data }: WritableTensor): LazyTensor {
  if (elementCount(shape) !== data.length) {
    throw new TensorFileError(
      `Tensor ${name} of shape [${shape.join(', ')}] cannot be written with ${data.length} elements.`,
    );
  }
  return { shape, dtype: dtypeOf(data), bytes: () => new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

/**
 * The parts of a safetensors file in order, so that it can be written without existing in one piece.
 * @throws TensorFileError if the elements of a tensor do not fill its shape.
 */
export function* safetensorsChunks(
  tensors: ReadonlyMap<string, WritableTensor | LazyTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array> {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  const lazy = new Map<string, LazyTensor>();
  let begin = 0;
  for (const [name, tensor] of tensors) {
    if (name === '__metadata__')
      throw new TensorFileError('No tensor may be called __metadata__ in a safetensors file.');
    const given = 'data' in tensor ? asLazy(name, tensor) : tensor;
    const { shape, dtype } = given;
    const end = begin + elementCount(shape) * bytesOf[dtype];
    header[name] = { dtype, shape, data_offsets: [begin, end] };
    lazy.set(name, given);
    begin = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(json, 8);
  yield head;
  for (const { bytes } of lazy.values()) yield bytes();
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
