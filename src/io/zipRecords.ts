import type { ByteSource } from './byteSource.ts';
import { TensorFileError } from './errors.ts';

/** Where the bytes of a record of a zip file lie. */
export interface ZipRecord {
  readonly begin: number;
  readonly bytes: number;
}

interface Listed {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly compressed: number;
  readonly bytes: number;
  /** Byte of the local header. */
  readonly header: number;
}

/** Signatures and sizes of APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16. */
const localHeader = { signature: 0x04034b50, size: 30 };
const centralHeader = { signature: 0x02014b50, size: 46 };
const end = { signature: 0x06054b50, size: 22 };
const end64 = { signature: 0x06064b50, size: 56 };
const locator64 = { signature: 0x07064b50, size: 20 };

const longestComment = 0xffff;
const mostDirectoryBytes = 2 ** 26;
/** Stands in a 32-bit field whose value is in the zip64 extra field. */
const elsewhere = 0xffffffff;

function number64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** Records of a zip file whose content is stored as it is. Nothing is unpacked, so records of any size are found by position. */
export class ZipRecords {
  private readonly source: ByteSource;
  private readonly listed = new Map<string, Listed>();

  /** Reads the directory at the end of the file. @throws TensorFileError if it is missing or damaged. */
  constructor(source: ByteSource) {
    this.source = source;
    const { begin, bytes } = this.findDirectory();
    if (bytes > mostDirectoryBytes) throw this.damaged(`its directory would take ${bytes} bytes`);
    const view = new DataView(source.read(begin, bytes).buffer);
    for (let at = 0; at < bytes; ) at = this.readEntry(view, at);
  }

  names(): string[] {
    return [...this.listed.keys()];
  }

  /** @throws TensorFileError if the record is compressed, encrypted or beyond the end of the file. */
  find(name: string): ZipRecord | undefined {
    const entry = this.listed.get(name);
    if (!entry) return undefined;
    const { source } = this;
    if (entry.method !== 0 || entry.encrypted || entry.compressed !== entry.bytes) {
      throw new TensorFileError(
        `${source.name}: record ${name} is ${entry.encrypted ? 'encrypted' : 'compressed'}, which torch.save does not do. ` +
          'Unpack the file and pack it again without (zip -0), or load it in PyTorch and save it again.',
      );
    }
    const header = new DataView(source.read(entry.header, localHeader.size).buffer);
    if (header.getUint32(0, true) !== localHeader.signature) {
      throw this.damaged(`record ${name} has no header at byte ${entry.header}`);
    }
    const begin = entry.header + localHeader.size + header.getUint16(26, true) + header.getUint16(28, true);
    if (!(begin + entry.bytes <= source.size)) {
      throw this.damaged(`record ${name} ends at byte ${begin + entry.bytes}, the file has ${source.size}`);
    }
    return { begin, bytes: entry.bytes };
  }

  private damaged(what: string): TensorFileError {
    return new TensorFileError(`${this.source.name} is a zip file that is cut off or damaged: ${what}.`);
  }

  private findDirectory(): ZipRecord {
    const { source } = this;
    const length = Math.min(source.size, end.size + longestComment);
    const tailBegin = source.size - length;
    const tail = new DataView(source.read(tailBegin, length).buffer);
    let at = length - end.size;
    while (at >= 0 && tail.getUint32(at, true) !== end.signature) at--;
    if (at < 0) throw this.damaged('it has no end record');
    const locatorAt = tailBegin + at - locator64.size;
    if (locatorAt >= 0) {
      const locator = new DataView(source.read(locatorAt, locator64.size).buffer);
      if (locator.getUint32(0, true) === locator64.signature) return this.checked(...this.read64(number64(locator, 8)));
    }
    return this.checked(tail.getUint32(at + 16, true), tail.getUint32(at + 12, true));
  }

  private read64(at: number): [begin: number, bytes: number] {
    if (!(at + end64.size <= this.source.size)) throw this.damaged('its zip64 end record is missing');
    const record = new DataView(this.source.read(at, end64.size).buffer);
    if (record.getUint32(0, true) !== end64.signature) throw this.damaged('its zip64 end record is missing');
    return [number64(record, 48), number64(record, 40)];
  }

  private checked(begin: number, bytes: number): ZipRecord {
    if (begin + bytes <= this.source.size) return { begin, bytes };
    throw this.damaged(`its directory would lie at bytes ${begin} to ${begin + bytes} of ${this.source.size}`);
  }

  /** Reads the entry at `at` of the directory; returns where the next one begins. */
  private readEntry(view: DataView, at: number): number {
    if (at + centralHeader.size > view.byteLength || view.getUint32(at, true) !== centralHeader.signature) {
      throw this.damaged(`entry ${this.listed.size + 1} of its directory cannot be read`);
    }
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true));
    const nameAt = at + centralHeader.size;
    const extraAt = nameAt + (nameBytes ?? 0);
    const next = extraAt + (extraBytes ?? 0) + (commentBytes ?? 0);
    if (next > view.byteLength) throw this.damaged(`entry ${this.listed.size + 1} of its directory cannot be read`);
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, nameAt, nameBytes));
    const fields = [24, 20, 42].map((field) => view.getUint32(at + field, true));
    const [bytes = 0, compressed = 0, header = 0] = this.widened(view, extraAt, extraBytes ?? 0, fields, name);
    if (this.listed.has(name)) throw this.damaged(`it has two records called ${name}`);
    const encrypted = (view.getUint16(at + 8, true) & 1) === 1;
    this.listed.set(name, { name, method: view.getUint16(at + 10, true), encrypted, compressed, bytes, header });
    return next;
  }

  /** Takes the values that do not fit into 32 bits from the zip64 extra field, where they follow each other. */
  private widened(
    view: DataView,
    extraAt: number,
    extraBytes: number,
    fields: readonly number[],
    name: string,
  ): number[] {
    const extraEnd = extraAt + extraBytes;
    let wide = extraEnd;
    let wideEnd = extraEnd;
    for (let at = extraAt; at + 4 <= extraEnd; ) {
      const size = view.getUint16(at + 2, true);
      if (view.getUint16(at, true) === 1) [wide, wideEnd] = [at + 4, Math.min(at + 4 + size, extraEnd)];
      at += 4 + size;
    }
    return fields.map((value) => {
      if (value !== elsewhere) return value;
      if (wide + 8 > wideEnd) throw this.damaged(`record ${name} has no zip64 size`);
      wide += 8;
      return number64(view, wide - 8);
    });
  }
}
