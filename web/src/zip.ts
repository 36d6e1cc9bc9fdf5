import { Zip, ZipDeflate, ZipPassThrough, type Zippable, zipSync } from 'fflate';

/** A zip of files by name. */
export function zipFiles(files: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  const entries: Zippable = {};
  for (const [name, bytes] of files) entries[name] = bytes;
  return zipSync(entries) as Uint8Array<ArrayBuffer>;
}

/** A zip that grows file by file. What was added is handed to the browser as blobs, which need not stay in memory. */
export class ZipWriter {
  private readonly parts: Blob[] = [];
  private readonly zip: Zip;
  private chunks: Uint8Array<ArrayBuffer>[] = [];

  constructor() {
    this.zip = new Zip((error, chunk) => {
      if (error) throw error;
      this.chunks.push(chunk as Uint8Array<ArrayBuffer>);
    });
  }

  add(name: string, bytes: Uint8Array): void {
    // PNG files are compressed already.
    const entry = name.endsWith('.png') ? new ZipPassThrough(name) : new ZipDeflate(name);
    this.zip.add(entry);
    entry.push(bytes, true);
    this.flush();
  }

  /** The whole; nothing can be added afterwards. */
  end(): Blob {
    this.zip.end();
    this.flush();
    return new Blob(this.parts, { type: 'application/zip' });
  }

  private flush(): void {
    this.parts.push(new Blob(this.chunks));
    this.chunks = [];
  }
}
