import type { ByteSource } from '../byteSource.ts';
import { TensorFileError } from '../errors.ts';

const windowBytes = 2 ** 16;

/** Longest line of a pickle's textual opcodes. */
const longestLine = 2 ** 20;

/** Reads a range of a source from front to back, through a small window. */
export class ByteCursor {
  position: number;
  readonly end: number;
  private readonly source: ByteSource;
  private window = new DataView(new ArrayBuffer(0));
  private windowBegin = 0;

  constructor(source: ByteSource, begin = 0, end = source.size) {
    this.source = source;
    this.position = begin;
    this.end = end;
  }

  /** Skips the next `length` (at most 8) bytes; `take` gets the window and their index in it. */
  private next<T>(length: number, take: (window: DataView, at: number) => T): T {
    if (this.position + length > this.end) throw this.cutOff(length);
    let at = this.position - this.windowBegin;
    if (at < 0 || at + length > this.window.byteLength) {
      const filled = this.source.read(this.position, Math.min(windowBytes, this.end - this.position));
      this.window = new DataView(filled.buffer);
      this.windowBegin = this.position;
      at = 0;
    }
    this.position += length;
    return take(this.window, at);
  }

  private cutOff(length: number): TensorFileError {
    return new TensorFileError(
      `${this.source.name} is cut off or damaged: ${length} bytes were expected at byte ${this.position}, ` +
        `${Math.max(0, this.end - this.position)} are left.`,
    );
  }

  u8(): number {
    return this.next(1, (window, at) => window.getUint8(at));
  }

  u16(): number {
    return this.next(2, (window, at) => window.getUint16(at, true));
  }

  i32(): number {
    return this.next(4, (window, at) => window.getInt32(at, true));
  }

  u32(): number {
    return this.next(4, (window, at) => window.getUint32(at, true));
  }

  /** @throws TensorFileError beyond 2^53. */
  u64(): number {
    const value = this.next(8, (window, at) => window.getBigUint64(at, true));
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    throw new TensorFileError(`${this.source.name} is damaged: it claims a length of ${value} bytes.`);
  }

  /** Big-endian, as pickles store numbers. */
  f64(): number {
    return this.next(8, (window, at) => window.getFloat64(at, false));
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    if (this.position + length > this.end) throw this.cutOff(length);
    const at = this.position - this.windowBegin;
    const isInWindow = at >= 0 && at + length <= this.window.byteLength;
    const bytes = isInWindow
      ? new Uint8Array(this.window.buffer.slice(at, at + length))
      : this.source.read(this.position, length);
    this.position += length;
    return bytes;
  }

  /** Text up to the next line feed, which is skipped. */
  line(): string {
    const codes: number[] = [];
    for (let code = this.u8(); code !== 0x0a; code = this.u8()) {
      codes.push(code);
      if (codes.length > longestLine) {
        throw new TensorFileError(`${this.source.name} is damaged: a line of its pickle does not end.`);
      }
    }
    return new TextDecoder().decode(Uint8Array.from(codes));
  }
}
