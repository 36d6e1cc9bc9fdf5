/** Writes small files of `torch.save`, sound ones and others, so that no binaries have to be committed. */

/** Anything that a pickle of this writer can hold. */
export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Pickled[]
  | ReadonlyMap<string | number, Pickled>
  | Tuple
  | Global
  | Call
  | Persistent;

export class Tuple {
  readonly items: readonly Pickled[];
  constructor(...items: Pickled[]) {
    this.items = items;
  }
}

export class Global {
  readonly module: string;
  readonly name: string;
  constructor(module: string, name: string) {
    this.module = module;
    this.name = name;
  }
}

/** REDUCE: what Python would call when it loads the pickle; with `state`, BUILD follows. */
export class Call {
  readonly callee: Pickled;
  readonly args: Tuple;
  readonly state: Pickled | undefined;
  constructor(callee: Pickled, args: Tuple, state?: Pickled) {
    this.callee = callee;
    this.args = args;
    this.state = state;
  }
}

export class Persistent {
  readonly id: Pickled;
  constructor(id: Pickled) {
    this.id = id;
  }
}

const encoder = new TextEncoder();

function little(bytes: number, value: number | bigint): number[] {
  return Array.from({ length: bytes }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
}

/** A pickle as bytes. @param protocol 2, or 4 with its short strings, frames and memoized globals */
export function pickle(root: Pickled, protocol: 2 | 4 = 2): Uint8Array {
  const out: number[] = [0x80, protocol];
  const text = (value: string): void => {
    const bytes = encoder.encode(value);
    if (protocol === 4 && bytes.length < 256) out.push(0x8c, bytes.length, ...bytes);
    else out.push(0x58, ...little(4, bytes.length), ...bytes);
  };
  const write = (value: Pickled): void => {
    if (value === null) out.push(0x4e);
    else if (typeof value === 'boolean') out.push(value ? 0x88 : 0x89);
    else if (typeof value === 'bigint') out.push(0x8a, 10, ...little(10, value));
    else if (typeof value === 'number') {
      if (Number.isInteger(value) && Math.abs(value) < 2 ** 31)
        out.push(0x4a, ...little(4, BigInt.asUintN(32, BigInt(value))));
      else if (Number.isInteger(value)) out.push(0x8a, 8, ...little(8, value));
      else {
        const view = new DataView(new ArrayBuffer(8));
        view.setFloat64(0, value);
        out.push(0x47, ...new Uint8Array(view.buffer));
      }
    } else if (typeof value === 'string') text(value);
    else if (value instanceof Uint8Array) out.push(0x42, ...little(4, value.length), ...value);
    else if (value instanceof Global) {
      if (protocol === 4) {
        text(value.module);
        text(value.name);
        out.push(0x93, 0x94);
      } else out.push(0x63, ...encoder.encode(`${value.module}\n${value.name}\n`));
    } else if (value instanceof Tuple) {
      out.push(0x28);
      value.items.forEach(write);
      out.push(0x74);
    } else if (value instanceof Call) {
      write(value.callee);
      write(value.args);
      out.push(0x52);
      if (value.state === undefined) return;
      write(value.state);
      out.push(0x62);
    } else if (value instanceof Persistent) {
      write(value.id);
      out.push(0x51);
    } else if (value instanceof Map) {
      out.push(0x7d, 0x28);
      for (const [key, item] of value as ReadonlyMap<string | number, Pickled>) {
        write(key);
        write(item);
      }
      out.push(0x75);
    } else {
      out.push(0x5d, 0x28);
      (value as readonly Pickled[]).forEach(write);
      out.push(0x65);
    }
  };
  write(root);
  out.push(0x2e);
  return Uint8Array.from(out);
}

export interface StorageBytes {
  readonly type: string;
  readonly elements: number;
  readonly bytes: Uint8Array;
}

export function floats(...values: number[]): StorageBytes {
  return { type: 'FloatStorage', elements: values.length, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

export interface View {
  readonly offset?: number;
  readonly strides?: readonly number[];
  /** Elements of the storage that is a view of the stored one, in old files. */
  readonly view?: Tuple;
}

/** A tensor of storage `key` as `torch.save` pickles it. */
export function tensorOf(key: string, storage: StorageBytes, shape: readonly number[], view: View = {}): Call {
  let stride = 1;
  const row = shape.map(() => 0);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    row[axis] = stride;
    stride *= shape[axis]!;
  }
  const id = ['storage', new Global('torch', storage.type), key, 'cpu', storage.elements] as const;
  return new Call(
    new Global('torch._utils', '_rebuild_tensor_v2'),
    new Tuple(
      new Persistent(new Tuple(...id, ...(view.view ? [view.view] : []))),
      view.offset ?? 0,
      new Tuple(...shape),
      new Tuple(...(view.strides ?? row)),
      false,
      new Call(new Global('collections', 'OrderedDict'), new Tuple()),
    ),
  );
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The five pickles in front of the storages of a legacy file. */
export function legacyHead(root: Pickled, keys: readonly string[], littleEndian = true): Uint8Array<ArrayBuffer> {
  const system = new Map<string, Pickled>([
    ['protocol_version', 1001],
    ['little_endian', littleEndian],
  ]);
  const pickles = [0x1950a86a20f9469cfc6cn, 1001, system, root, keys] as const;
  return concat(...pickles.map((value) => pickle(value)));
}

export function legacyFile(
  root: Pickled,
  storages: ReadonlyMap<string, StorageBytes>,
  littleEndian = true,
): Uint8Array<ArrayBuffer> {
  const parts = [...storages.values()].flatMap(({ elements, bytes }) => [Uint8Array.from(little(8, elements)), bytes]);
  return concat(legacyHead(root, [...storages.keys()], littleEndian), ...parts);
}

export interface ZipPart {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Claimed size and method; those of stored bytes by default. */
  readonly size?: number;
  readonly method?: number;
  /** Byte of the local header, where it is not behind the record before. */
  readonly at?: number;
}

/** Local header of a record. */
export function zipHeader({ name, bytes, method = 0 }: ZipPart): Uint8Array {
  const encoded = encoder.encode(name);
  return Uint8Array.from([
    ...little(4, 0x04034b50),
    ...[0, 0, 0, 0, method, 0],
    ...little(4, 0),
    ...little(4, 0),
    ...little(4, bytes.length),
    ...little(4, bytes.length),
    ...little(2, encoded.length),
    ...little(2, 0),
    ...encoded,
  ]);
}

/** Directory and end records, with every size in its zip64 form if `wide`. */
export function zipTail(parts: readonly Required<ZipPart>[], directoryAt: number, wide = false): Uint8Array {
  const entries = parts.flatMap(({ name, size, method, at }) => {
    const encoded = encoder.encode(name);
    const extra = wide
      ? [...little(2, 1), ...little(2, 24), ...[size, size, at].flatMap((value) => little(8, value))]
      : [];
    const field = (value: number): number[] => little(4, wide ? 0xffffffff : value);
    return [
      ...little(4, 0x02014b50),
      ...[0, 0, 0, 0, 0, 0, method, 0],
      ...little(8, 0),
      ...field(size),
      ...field(size),
      ...little(2, encoded.length),
      ...little(2, extra.length),
      ...little(10, 0),
      ...field(at),
      ...encoded,
      ...extra,
    ];
  });
  const wideEnd = [
    ...little(4, 0x06064b50),
    ...little(8, 44),
    ...little(12, 0),
    ...little(8, parts.length),
    ...little(8, parts.length),
    ...little(8, entries.length),
    ...little(8, directoryAt),
    ...little(4, 0x07064b50),
    ...little(4, 0),
    ...little(8, directoryAt + entries.length),
    ...little(4, 1),
  ];
  return Uint8Array.from([
    ...entries,
    ...(wide ? wideEnd : []),
    ...little(4, 0x06054b50),
    ...little(4, 0),
    ...little(2, parts.length),
    ...little(2, parts.length),
    ...little(4, entries.length),
    ...little(4, wide ? 0xffffffff : directoryAt),
    ...little(2, 0),
  ]);
}

export function zipFile(parts: readonly ZipPart[], wide = false): Uint8Array<ArrayBuffer> {
  const placed: Required<ZipPart>[] = [];
  const pieces: Uint8Array[] = [];
  let position = 0;
  for (const part of parts) {
    const { bytes } = part;
    const header = zipHeader(part);
    placed.push({ size: bytes.length, method: 0, at: position, ...part });
    pieces.push(header, bytes);
    position += header.length + bytes.length;
  }
  return concat(...pieces, zipTail(placed, position, wide));
}

/** What `torch.save` writes today. */
export function torchZip(
  root: Pickled,
  storages: ReadonlyMap<string, StorageBytes> = new Map(),
  options: { readonly protocol?: 2 | 4; readonly byteorder?: string; readonly wide?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const records = [...storages].map(([key, { bytes }]) => ({ name: `net/data/${key}`, bytes }));
  return zipFile(
    [
      { name: 'net/data.pkl', bytes: pickle(root, options.protocol) },
      { name: 'net/byteorder', bytes: encoder.encode(options.byteorder ?? 'little') },
      ...records,
      { name: 'net/version', bytes: encoder.encode('3\n') },
    ],
    options.wide,
  );
}
