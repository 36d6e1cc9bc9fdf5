import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { writeFileAtomic } from './atomic.node.ts';
import { TensorFileError } from './errors.ts';

interface Header {
  readonly entries: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** First byte of the data. */
  readonly dataStart: number;
}

/** Longest header that is read: a file whose length field says more is not one of ours. */
const longestHeader = 100 * 2 ** 20;

async function readHeader(path: string): Promise<Header> {
  const file = await open(path, 'r');
  try {
    const length = Number(new DataView((await readBytes(file, 8, 0, path)).buffer).getBigUint64(0, true));
    if (!(length <= longestHeader)) throw notOne(path, `its header would take ${length} bytes`);
    const text = new TextDecoder().decode(await readBytes(file, length, 8, path));
    const { __metadata__: metadata = {}, ...entries } = JSON.parse(text) as Record<string, unknown>;
    return { entries, metadata: metadata as Record<string, string>, dataStart: 8 + length };
  } catch (error) {
    if (error instanceof SyntaxError) throw notOne(path, 'its header is not JSON');
    throw error;
  } finally {
    await file.close();
  }
}

function notOne(path: string, why: string): TensorFileError {
  return new TensorFileError(`${path} is not a safetensors file: ${why}.`);
}

async function readBytes(file: FileHandle, length: number, position: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  if (bytesRead < length) throw notOne(path, 'it ends within its header');
  return bytes;
}

/** The metadata of a safetensors file, without reading its tensors. @throws TensorFileError if it is none. */
export async function readMetadata(path: string): Promise<Readonly<Record<string, string>>> {
  return (await readHeader(path)).metadata;
}

/**
 * Puts entries into the metadata of a safetensors file; an undefined value takes its entry away. The tensors are copied
 * as a stream and the file is replaced atomically.
 * @throws TensorFileError if it is no safetensors file.
 */
export async function changeMetadata(
  path: string,
  changes: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const { entries, metadata, dataStart } = await readHeader(path);
  const merged = Object.entries({ ...metadata, ...changes }).filter(([, value]) => value !== undefined);
  const header = merged.length > 0 ? { __metadata__: Object.fromEntries(merged), ...entries } : entries;
  const json = new TextEncoder().encode(JSON.stringify(header));
  const head = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - 8), true);
  head.set(json, 8);
  await writeFileAtomic(path, headThenData(head, path, dataStart));
}

async function* headThenData(head: Uint8Array, path: string, dataStart: number): AsyncGenerator<Uint8Array> {
  yield head;
  for await (const chunk of createReadStream(path, { start: dataStart })) yield chunk as Uint8Array;
}
