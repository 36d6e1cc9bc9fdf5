/** Size and depth from the header of a code stream, before any decoder sees it. */

export interface CodestreamSize {
  readonly columns: number;
  readonly rows: number;
  readonly components: number;
  readonly bits: number;
  /** Process of a JPEG, by its start-of-frame marker. */
  readonly process?: 'baseline' | 'extended' | 'progressive' | 'lossless' | 'jpeg-ls';
}

/** Undefined where the bytes are no such code stream or end inside of its header. */
export function codestreamSize(kind: 'jpeg' | 'jpeg-ls' | 'jpeg2000', bytes: Uint8Array): CodestreamSize | undefined {
  return kind === 'jpeg2000' ? jpeg2000Size(bytes) : jpegSize(bytes, kind === 'jpeg-ls');
}

const PROCESSES: Readonly<Record<number, CodestreamSize['process']>> = {
  192: 'baseline',
  193: 'extended',
  194: 'progressive',
  195: 'lossless',
  247: 'jpeg-ls',
};

/** Frame header of JPEG (ITU-T T.81, B.2.2) or JPEG-LS (T.87, C.2.2). */
function jpegSize(bytes: Uint8Array, jpegLs: boolean): CodestreamSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return undefined;
  for (const { marker, start, end } of jpegSegments(bytes)) {
    const process = PROCESSES[marker];
    if (!process) continue;
    if ((process === 'jpeg-ls') !== jpegLs || end - start < 6) return undefined;
    return {
      bits: view.getUint8(start),
      rows: view.getUint16(start + 1),
      columns: view.getUint16(start + 3),
      components: view.getUint8(start + 5),
      process,
    };
  }
  return undefined;
}

/** Marker segments up to the first scan; `start` to `end` is the content after the length. */
export function* jpegSegments(bytes: Uint8Array): Generator<{ marker: number; start: number; end: number }> {
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) return;
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at++; // Fill bytes may stand before a marker.
      continue;
    }
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    const end = at + 2 + length;
    if (marker === 0xda || length < 2 || end > bytes.length) return;
    yield { marker, start: at + 4, end };
    at = end;
  }
}

/** SIZ marker segment (ITU-T T.800, A.5.1), of a raw code stream or inside of a JP2 file. */
function jpeg2000Size(bytes: Uint8Array): CodestreamSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A JP2 file begins with boxes; the code stream in it with the same two markers.
  for (let at = 0; at + 43 <= bytes.length && at < 65536; at++) {
    if (view.getUint32(at) !== 0xff4fff51) continue;
    return {
      columns: view.getUint32(at + 8) - view.getUint32(at + 16),
      rows: view.getUint32(at + 12) - view.getUint32(at + 20),
      components: view.getUint16(at + 40),
      bits: (view.getUint8(at + 42) & 127) + 1,
    };
  }
  return undefined;
}

/**
 * Scans of a JPEG file, by their markers. A decoder walks over the whole image for each, so that a few kilobytes of empty
 * scans would keep it busy for hours.
 */
export function jpegScans(bytes: Uint8Array): number {
  let scans = 0;
  for (let at = bytes.indexOf(0xff); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === 0xda) scans++;
  }
  return scans;
}

/**
 * Whether the end marker is there, which truncation takes away. Compressed data never hold it by chance: they are stuffed
 * against that. In JPEG an embedded preview has an end of its own, so it has to come after the last scan.
 */
export function hasEnd(bytes: Uint8Array): boolean {
  for (let at = bytes.lastIndexOf(0xff); at >= 0; at = at > 0 ? bytes.lastIndexOf(0xff, at - 1) : -1) {
    if (bytes[at + 1] === 0xd9) return true;
    if (bytes[at + 1] === 0xda) return false;
  }
  return false;
}
