import { TensorFileError } from './errors.ts';

/** Bytes that are read by position, so that a file never has to be in memory as a whole. */
export interface ByteSource {
  /** Name for error messages. */
  readonly name: string;
  /** Number of bytes. */
  readonly size: number;
  /** A copy of `length` bytes from `begin` on. @throws TensorFileError if the source does not have them. */
  read(begin: number, length: number): Uint8Array<ArrayBuffer>;
  /** Releases what the source holds open; it cannot be read afterwards. */
  close(): void;
}

/** @throws TensorFileError unless the range lies inside the source. */
export function checkRange({ name, size }: ByteSource, begin: number, length: number): void {
  const isRange = Number.isSafeInteger(begin) && Number.isSafeInteger(length) && begin >= 0 && length >= 0;
  if (isRange && begin + length <= size) return;
  throw new TensorFileError(
    `${name} is cut off: ${length} bytes were expected from byte ${begin} on, it has ${size} bytes.`,
  );
}

/** Bytes that are in memory already, as in browsers. */
export function bytesSource(name: string, content: Uint8Array | ArrayBuffer): ByteSource {
  const bytes = content instanceof Uint8Array ? content : new Uint8Array(content);
  const source: ByteSource = {
    name,
    size: bytes.length,
    read(begin, length) {
      checkRange(source, begin, length);
      return Uint8Array.from(bytes.subarray(begin, begin + length));
    },
    close() {},
  };
  return source;
}
