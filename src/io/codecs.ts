/** The codecs of DICOM (JPEG, JPEG lossless, JPEG-LS, JPEG 2000, RLE) in one WebAssembly module, for Node and browsers. */
import { DataError } from '../data/errors.ts';
import { codestreamSize, hasEnd, jpegScans } from './codestream.ts';

export type Codec = 'jpeg' | 'jpeg-ls' | 'jpeg2000' | 'rle';

/** What the header around an encoded frame says about it. */
export interface FrameLayout {
  readonly columns: number;
  readonly rows: number;
  readonly samplesPerPixel: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  /** Defined terms of DICOM's Photometric Interpretation; YBR_* comes out as RGB. */
  readonly photometric: string;
}

export interface DecodedFrame {
  /** Little-endian samples, `[rows, columns, samplesPerPixel]`, or `[samplesPerPixel, rows, columns]` where planar. */
  readonly bytes: Uint8Array;
  readonly planar: boolean;
}

/** Decoders of compressed pixels. Made by `loadCodecs`. */
export interface Codecs {
  /** Decodes one frame. Throws DataError beginning with `source` where it is broken or not what `layout` says. */
  decode(codec: Codec, encoded: Uint8Array, layout: FrameLayout, source: string): DecodedFrame;
}

/** Larger images are refused: a header can claim any size, and no radiograph comes near. */
export const MAX_PIXELS = 50_000_000;

/** Encoders write up to a dozen for a progressive image; embedded previews may add some. */
const MAX_SCANS = 64;

/** Flat areas cost almost nothing in every codec, but more than this only a broken or hostile header claims. */
const FREE_PIXELS = 4_000_000;
const PIXELS_PER_BYTE = 4000;

/** Bytes of memory beyond which an instance is given up: WebAssembly memory can grow, never shrink. */
const KEEP_BYTES = 2 ** 29;

/** Throws DataError where a size is impossible, or out of proportion to the bytes that are there. */
export function checkImageSize(columns: number, rows: number, encodedBytes: number, source: string): void {
  const pixels = columns * rows;
  if (!(columns >= 1 && rows >= 1)) {
    throw new DataError(`${source}: expected an image of at least 1 x 1 pixel, found ${columns} x ${rows}.`);
  }
  if (pixels > MAX_PIXELS || pixels > FREE_PIXELS + encodedBytes * PIXELS_PER_BYTE) {
    throw new DataError(
      `${source}: the header claims ${columns} x ${rows} pixels, more than ` +
        `${pixels > MAX_PIXELS ? `the ${MAX_PIXELS} that are read` : `${encodedBytes} bytes can hold`}. ` +
        'Replace the file, or scale the image down.',
    );
  }
}

/** Throws DataError for JPEG data that would keep a decoder busy without end. */
export function checkScans(jpeg: Uint8Array, source: string): void {
  const scans = jpegScans(jpeg);
  if (scans > MAX_SCANS) {
    throw new DataError(
      `${source}: expected at most ${MAX_SCANS} scans in the JPEG data, found ${scans}. Replace the file.`,
    );
  }
}

/** Photometric interpretations in the order of the module's enumeration. */
const PHOTOMETRIC = [
  'MONOCHROME1',
  'MONOCHROME2',
  'PALETTE COLOR',
  'RGB',
  'YBR_FULL',
  'YBR_FULL_422',
  'YBR_PARTIAL_422',
  'YBR_PARTIAL_420',
  'YBR_ICT',
  'YBR_RCT',
  'CMYK',
];

type Call = (...values: number[]) => number;

interface CodecModule {
  readonly memory: WebAssembly.Memory;
  readonly call: (name: string, ...values: number[]) => number;
}

const DECODE: Readonly<Record<Codec, string>> = {
  jpeg: 'DecodeJpeg',
  'jpeg-ls': 'DecodeJpegLs',
  jpeg2000: 'DecodeJpeg2000',
  rle: 'DecodeRle',
};

/**
 * Compiles the module `dcmjs-codecs/build/dcmjs-native-codecs.wasm`. Its JavaScript is left out: it would load a second
 * DICOM library, and keeps one instance whatever happens. Here an instance that failed is thrown away, memory and all.
 *
 * @param wasm bytes of that file (in browsers e.g. `await (await fetch(url)).arrayBuffer()`).
 */
export async function loadCodecs(wasm: BufferSource): Promise<Codecs> {
  const compiled = await WebAssembly.compile(wasm);
  let current: CodecModule | undefined;
  return {
    decode(codec, encoded, layout, source) {
      checkFrame(codec, encoded, layout, source);
      current ??= instantiate(compiled);
      const module = current;
      // Whatever throws below leaves the instance in an unknown state.
      current = undefined;
      let frame: DecodedFrame;
      try {
        frame = run(module, codec, encoded, layout);
      } catch (error) {
        const reason = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim();
        throw new DataError(`${source}: the ${codecName(codec)} data cannot be decoded (${reason}). Replace the file.`);
      }
      if (module.memory.buffer.byteLength <= KEEP_BYTES) current = module;
      const { columns, rows, samplesPerPixel, bitsAllocated } = layout;
      const expected = columns * rows * samplesPerPixel * (bitsAllocated / 8);
      if (frame.bytes.length < expected) {
        throw new DataError(
          `${source}: expected ${expected} bytes of pixels, found ${frame.bytes.length} after decoding. Replace the file.`,
        );
      }
      return frame;
    },
  };
}

export function codecName(codec: Codec): string {
  return { jpeg: 'JPEG', 'jpeg-ls': 'JPEG-LS', jpeg2000: 'JPEG 2000', rle: 'RLE' }[codec];
}

/** Decoders trust the size inside of a code stream and the caller trusts the header: both must say the same. */
function checkFrame(codec: Codec, encoded: Uint8Array, layout: FrameLayout, source: string): void {
  const { columns, rows, samplesPerPixel, bitsAllocated } = layout;
  checkImageSize(columns, rows, encoded.length, source);
  if (codec === 'rle') return;
  const inside = codestreamSize(codec, encoded);
  if (!inside) {
    throw new DataError(`${source}: expected ${codecName(codec)} data, found something else. Replace the file.`);
  }
  if (inside.columns !== columns || inside.rows !== rows || inside.components !== samplesPerPixel) {
    throw new DataError(
      `${source}: the header says ${columns} x ${rows} pixels of ${samplesPerPixel} samples, the ${codecName(codec)} data ` +
        `${inside.columns} x ${inside.rows} of ${inside.components}. Replace the file.`,
    );
  }
  if (codec === 'jpeg') checkScans(encoded, source);
  // Decoders make up what is missing at the end, with at most a warning.
  if (!hasEnd(encoded)) {
    throw new DataError(`${source}: the ${codecName(codec)} data have no end; the file is cut off. Replace it.`);
  }
  if (inside.bits > bitsAllocated) {
    throw new DataError(
      `${source}: the ${codecName(codec)} data have ${inside.bits} bits per sample, the header allots ${bitsAllocated}. ` +
        'Replace the file.',
    );
  }
}

function run(module: CodecModule, codec: Codec, encoded: Uint8Array, layout: FrameLayout): DecodedFrame {
  const { memory, call } = module;
  const context = call('CreateCodecsContext');
  const parameters = call('CreateDecoderParameters');
  call('SetColumns', context, layout.columns);
  call('SetRows', context, layout.rows);
  call('SetBitsAllocated', context, layout.bitsAllocated);
  call('SetBitsStored', context, layout.bitsStored);
  call('SetSamplesPerPixel', context, layout.samplesPerPixel);
  call('SetPixelRepresentation', context, layout.signed ? 1 : 0);
  call('SetPlanarConfiguration', context, 0);
  call('SetPhotometricInterpretation', context, Math.max(0, PHOTOMETRIC.indexOf(layout.photometric)));
  call('SetConvertColorspaceToRgb', parameters, codec !== 'rle' && layout.photometric.startsWith('YBR') ? 1 : 0);
  call('SetEncodedBufferSize', context, encoded.length);
  new Uint8Array(memory.buffer).set(encoded, call('GetEncodedBuffer', context));
  call(DECODE[codec], context, parameters);
  const start = call('GetDecodedBuffer', context);
  const bytes = new Uint8Array(memory.buffer).slice(start, start + call('GetDecodedBufferSize', context));
  const planar = call('GetPlanarConfiguration', context) === 1;
  call('ReleaseDecoderParameters', parameters);
  call('ReleaseCodecsContext', context);
  return { bytes, planar };
}

function instantiate(compiled: WebAssembly.Module): CodecModule {
  let memory: WebAssembly.Memory | undefined;
  const view = (): DataView => new DataView(memory?.buffer ?? new ArrayBuffer(0));
  const text = (start: number, length: number): string =>
    new TextDecoder().decode(new Uint8Array(view().buffer, start, length));
  const nothing = (): number => 0;
  const { exports } = new WebAssembly.Instance(compiled, {
    env: {
      onCodecsException: (start: number, length: number) => {
        throw new Error(text(start, length));
      },
      onCodecsInfo: nothing,
      onCodecsTrace: nothing,
      emscripten_notify_memory_growth: nothing,
    },
    // The module has no files, clock or environment to see.
    wasi_snapshot_preview1: {
      proc_exit: () => {
        throw new Error('the decoder gave up');
      },
      clock_time_get: nothing,
      fd_write: nothing,
      fd_close: nothing,
      fd_seek: nothing,
      environ_get: nothing,
      environ_sizes_get: (count: number, size: number) => {
        view().setUint32(count, 0, true);
        view().setUint32(size, 0, true);
        return 0;
      },
    },
  });
  memory = exports.memory as WebAssembly.Memory;
  const call = (name: string, ...values: number[]): number => {
    const entry = exports[name];
    if (typeof entry !== 'function') throw new Error(`the codecs have no function ${name}`);
    // Addresses are unsigned; WebAssembly hands them out as signed numbers.
    return (entry as Call)(...values) >>> 0;
  };
  call('_initialize');
  return { memory, call };
}
