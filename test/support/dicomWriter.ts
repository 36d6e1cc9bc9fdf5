/** A tiny writer of DICOM files: enough of PS3.5 and PS3.10 for tests that derive what they expect by hand. */

export type Value = number | string | readonly number[] | Uint8Array | readonly Attributes[];
/** Attributes by tag, e.g. `'00280010': ['US', 4]`. */
export type Attributes = Readonly<Record<string, readonly [vr: string, value: Value]>>;

export interface DicomOptions {
  readonly syntax?: string;
  /** Frames as encapsulated fragments instead of plain pixel data. */
  readonly fragments?: readonly Uint8Array[];
  readonly preamble?: boolean;
  /** Applied to the data set, e.g. to deflate it. */
  readonly pack?: (dataSet: Uint8Array) => Uint8Array;
}

export const syntaxes = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  bigEndian: '1.2.840.10008.1.2.2',
  deflated: '1.2.840.10008.1.2.1.99',
  rle: '1.2.840.10008.1.2.5',
} as const;

const LONG = new Set(['OB', 'OW', 'SQ', 'UN', 'UT']);

/** A grey image of 8 or 16 bits; `attributes` add to and replace the usual ones. */
export function dicomImage(
  columns: number,
  rows: number,
  samples: readonly number[],
  bits: 8 | 16,
  attributes: Attributes = {},
  options: DicomOptions = {},
): Uint8Array {
  const big = options.syntax === syntaxes.bigEndian;
  const pixels = bits === 8 ? Uint8Array.from(samples) : words(samples, big);
  return dicomFile(
    {
      '00080060': ['CS', 'DX'],
      '00280002': ['US', 1],
      '00280004': ['CS', 'MONOCHROME2'],
      '00280010': ['US', rows],
      '00280011': ['US', columns],
      '00280100': ['US', bits],
      '00280101': ['US', bits],
      '00280102': ['US', bits - 1],
      '00280103': ['US', 0],
      '7fe00010': [bits === 8 ? 'OB' : 'OW', pixels],
      ...attributes,
    },
    options,
  );
}

export function dicomFile(attributes: Attributes, options: DicomOptions = {}): Uint8Array {
  const { syntax = syntaxes.explicit, fragments, preamble = true, pack = (bytes) => bytes } = options;
  const mode: Mode = { explicit: syntax !== syntaxes.implicit, big: syntax === syntaxes.bigEndian };
  const body = [encode(attributes, mode, fragments ? ['7fe00010'] : [])];
  if (fragments) body.push(encapsulate(fragments));
  const dataSet = pack(join(body));
  if (!preamble) return dataSet;
  const meta = encode({ '00020010': ['UI', syntax] }, { explicit: true, big: false }, []);
  const length = encode({ '00020000': ['UL', [meta.length]] }, { explicit: true, big: false }, []);
  return join([new Uint8Array(128), ascii('DICM'), length, meta, dataSet]);
}

interface Mode {
  readonly explicit: boolean;
  readonly big: boolean;
}

function encode(attributes: Attributes, mode: Mode, without: readonly string[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const tag of Object.keys(attributes).sort()) {
    if (without.includes(tag)) continue;
    const [vr, value] = attributes[tag]!;
    const content = pad(contentOf(vr, value, mode), vr);
    parts.push(number(Number.parseInt(tag.slice(0, 4), 16), 2, mode.big));
    parts.push(number(Number.parseInt(tag.slice(4), 16), 2, mode.big));
    if (!mode.explicit) parts.push(number(content.length, 4, mode.big));
    else if (LONG.has(vr)) parts.push(ascii(vr), new Uint8Array(2), number(content.length, 4, mode.big));
    else parts.push(ascii(vr), number(content.length, 2, mode.big));
    parts.push(content);
  }
  return join(parts);
}

function contentOf(vr: string, value: Value, mode: Mode): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return ascii(value);
  if (vr === 'SQ') {
    const items = (value as readonly Attributes[]).map((item) => encode(item, mode, []));
    return join(
      items.flatMap((item) => [
        number(0xfffe, 2, mode.big),
        number(0xe000, 2, mode.big),
        number(item.length, 4, mode.big),
        item,
      ]),
    );
  }
  const values = (typeof value === 'number' ? [value] : value) as readonly number[];
  return join(values.map((each) => number(each, vr === 'UL' ? 4 : 2, mode.big)));
}

function encapsulate(fragments: readonly Uint8Array[]): Uint8Array {
  const item = (content: Uint8Array): Uint8Array[] => [
    number(0xfffe, 2, false),
    number(0xe000, 2, false),
    number(content.length + (content.length % 2), 4, false),
    pad(content, 'OB'),
  ];
  return join([
    ...[
      number(0x7fe0, 2, false),
      number(0x0010, 2, false),
      ascii('OB'),
      new Uint8Array(2),
      number(0xffffffff, 4, false),
    ],
    ...item(new Uint8Array(0)),
    ...fragments.flatMap(item),
    ...[number(0xfffe, 2, false), number(0xe0dd, 2, false), new Uint8Array(4)],
  ]);
}

/** RLE of PS3.5 annex G, one segment per byte of a sample, high byte first; literal runs only. */
export function rleFrame(segments: readonly (readonly number[])[]): Uint8Array {
  const header = new Uint8Array(64);
  const view = new DataView(header.buffer);
  view.setUint32(0, segments.length, true);
  const parts: Uint8Array[] = [];
  let at = 64;
  for (const [i, segment] of segments.entries()) {
    const runs: number[] = [];
    for (let k = 0; k < segment.length; k += 128) {
      const run = segment.slice(k, k + 128);
      runs.push(run.length - 1, ...run);
    }
    if (runs.length % 2) runs.push(0x80);
    view.setUint32(4 + 4 * i, at, true);
    parts.push(Uint8Array.from(runs));
    at += runs.length;
  }
  return join([header, ...parts]);
}

export function words(values: readonly number[], big = false): Uint8Array {
  return join(values.map((value) => number(value & 0xffff, 2, big)));
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function number(value: number, bytes: 2 | 4, big: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  if (bytes === 2) view.setUint16(0, value & 0xffff, !big);
  else view.setUint32(0, value >>> 0, !big);
  return new Uint8Array(view.buffer);
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

function pad(content: Uint8Array, vr: string): Uint8Array {
  if (content.length % 2 === 0) return content;
  return join([content, Uint8Array.of(vr === 'OB' || vr === 'UI' ? 0 : 32)]);
}
