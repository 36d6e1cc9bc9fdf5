import { ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTensorFile } from '../../src/io/openTensors.node.ts';
import { readTensors } from '../../src/io/openTensors.ts';
import type { TensorFile } from '../../src/io/tensorFile.ts';
import { temporaryFolder } from '../support/tinyRun.ts';
import {
  Call,
  concat,
  floats,
  Global,
  legacyFile,
  type Pickled,
  pickle,
  type StorageBytes,
  Tuple,
  tensorOf,
  torchZip,
  zipFile,
  zipHeader,
  zipTail,
} from '../support/torchFiles.ts';

const counting = floats(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
const one = new Map([['0', counting]]);

/** Both formats of the same object. */
function both(root: Pickled, storages: ReadonlyMap<string, StorageBytes> = one): [string, TensorFile][] {
  return [
    ['zip', readTensors(torchZip(root, storages), 'net.pt')],
    ['zip, protocol 4', readTensors(torchZip(root, storages, { protocol: 4, wide: true }), 'net.pt')],
    ['legacy', readTensors(legacyFile(root, storages), 'net.pt')],
  ];
}

const values = (file: TensorFile, name: string): number[] => [...file.tensor(name).data];

describe('files of torch.save', () => {
  it('give views with any offset and strides in row-major order, storages shared', () => {
    const root = new Map<string, Pickled>([
      ['whole', tensorOf('0', counting, [3, 4])],
      ['transposed', tensorOf('0', counting, [4, 3], { strides: [1, 4] })],
      ['every second of the last row', tensorOf('0', counting, [2], { offset: 8, strides: [2] })],
      ['repeated', tensorOf('0', counting, [2, 3], { offset: 1, strides: [0, 1] })],
      ['number', tensorOf('0', counting, [], { offset: 7 })],
      ['none', tensorOf('0', counting, [0, 3])],
      ['row', tensorOf('0', counting, [1, 4], { strides: [99, 1] })],
    ]);
    for (const [format, file] of both(root)) {
      expect(values(file, 'whole'), format).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
      expect(values(file, 'transposed')).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
      expect(values(file, 'every second of the last row')).toEqual([8, 10]);
      expect(values(file, 'repeated')).toEqual([1, 2, 3, 1, 2, 3]);
      expect(values(file, 'number')).toEqual([7]);
      expect(file.tensor('none')).toEqual({ shape: [0, 3], data: new Float32Array(0) });
      expect(values(file, 'row')).toEqual([0, 1, 2, 3]);
    }
  });

  it('may hold storages that are views of others, as old PyTorch wrote them', () => {
    const view = tensorOf('0', counting, [2], { offset: 1, view: new Tuple('v', 4, 3) });
    expect(values(readTensors(legacyFile(view, one), 'old.pt'), 'tensor')).toEqual([5, 6]);
  });

  it('hold every type of element', () => {
    const bytes = new Uint8Array(16).map((_, i) => i);
    const types = [
      ['DoubleStorage', 'F64', 8],
      ['HalfStorage', 'F16', 2],
      ['BFloat16Storage', 'BF16', 2],
      ['LongStorage', 'I64', 8],
      ['IntStorage', 'I32', 4],
      ['ShortStorage', 'I16', 2],
      ['CharStorage', 'I8', 1],
      ['ByteStorage', 'U8', 1],
      ['BoolStorage', 'BOOL', 1],
    ] as const;
    const storages = new Map(
      types.map(([type, , width], i) => [`${i}`, { type, elements: 16 / width, bytes }] as const),
    );
    const root = new Map(
      types.map(([type, , width], i) => [type, tensorOf(`${i}`, storages.get(`${i}`)!, [16 / width])] as const),
    );
    for (const [, file] of both(root, storages)) {
      for (const [type, dtype] of types) {
        expect(file.info(type).dtype).toBe(dtype);
        expect(file.bytes(type)).toEqual(bytes);
      }
      expect([...file.integers('ShortStorage').data.slice(0, 2)]).toEqual([0x0100, 0x0302]);
    }
  });

  it('may nest dictionaries and lists; numbers and texts become metadata, unknown classes inert stubs', () => {
    const config = new Call(new Global('omegaconf.dictconfig', 'DictConfig'), new Tuple(), new Map([['lr', 0.5]]));
    const root = new Map<string, Pickled>([
      ['epoch', 7],
      ['state_dict', new Map([['gloria.fc.weight', tensorOf('0', counting, [12])]])],
      ['hyper_parameters', config],
      [
        'optimizer_states',
        [new Map([['state', new Map([[0, new Map([['exp_avg', tensorOf('0', counting, [3])]])]])]])],
      ],
      ['callbacks', new Map([['path', new Call(new Global('pathlib', 'PosixPath'), new Tuple('/', 'tmp'))]])],
    ]);
    for (const [, file] of both(root)) {
      expect(file.names()).toEqual(['state_dict.gloria.fc.weight', 'optimizer_states.0.state.0.exp_avg']);
      expect(file.metadata).toEqual({ epoch: '7', 'hyper_parameters.lr': '0.5' });
      expect(file.stubs).toEqual(['omegaconf.dictconfig.DictConfig', 'pathlib.PosixPath']);
    }
  });

  it('may be whole pickled modules: their tensors have the names of the state_dict', () => {
    const module = (state: Map<string, Pickled>): Call => new Call(new Global('mynet', 'Net'), new Tuple(), state);
    const inner = module(new Map([['_parameters', new Map([['weight', tensorOf('0', counting, [12])]])]]));
    for (const [, file] of both(module(new Map([['_modules', new Map([['conv1', inner]])]])))) {
      expect(file.names()).toEqual(['conv1.weight']);
      expect(file.stubs).toEqual(['mynet.Net']);
    }
  });

  it('never run what they ask to be run', () => {
    const evil = (module: string, name: string): Call =>
      new Call(new Global(module, name), new Tuple('touch /tmp/owned'));
    const root = new Map<string, Pickled>([
      ['a', evil('os', 'system')],
      ['b', evil('builtins', 'eval')],
      ['c', evil('torch.storage', '_load_from_bytes')],
      [
        'd',
        new Call(
          new Global('builtins', 'getattr'),
          new Tuple(new Global('os', 'system'), '__class__'),
          new Map([['__class__', 1]]),
        ),
      ],
      ['e', new Call(evil('posix', 'system'), new Tuple('id'))],
      ['constructor', evil('constructor', 'constructor')],
      ['weight', tensorOf('0', counting, [12])],
    ]);
    for (const [, file] of both(root)) {
      expect(file.names()).toEqual(['weight']);
      expect(file.stubs).toEqual([
        'builtins.eval',
        'builtins.getattr',
        'constructor.constructor',
        'os.system',
        'posix.system',
        'torch.storage._load_from_bytes',
      ]);
    }
  });

  it('refuse what cannot be right, with a sentence', () => {
    const refused = (bytes: Uint8Array, sentence: RegExp, name = 'net.pt'): void =>
      expect(() => readTensors(bytes, name)).toThrow(sentence);
    const plain = tensorOf('0', counting, [12]);
    refused(legacyFile(plain, one, false), /net\.pt was written on a big-endian machine/);
    refused(torchZip(plain, one, { byteorder: 'big' }), /byte order is "big", expected "little"/);
    const odd = { ...counting, type: 'QUInt2x4Storage' };
    refused(
      legacyFile(tensorOf('0', odd, [12]), new Map([['0', odd]])),
      /storages of the type QUInt2x4Storage, whose size/,
    );
    refused(torchZip(plain), /tensor tensor lies in storage 0, which the file does not have/);
    refused(torchZip(tensorOf('0', counting, [13]), one), /needs 52 bytes of storage 0, which has 48/);
    refused(
      torchZip(tensorOf('0', counting, [2 ** 30, 2 ** 20], { strides: [0, 0] }), one),
      /repeats 1 stored elements/,
    );
    refused(pickle(new Map([['a', 1]])), /is a pickle, but not one of torch\.save/);
    refused(legacyFile(plain, one).slice(0, -5), /net\.pt is cut off: storage 0 ends at byte/);
    refused(torchZip(plain, one).slice(0, -60), /zip file that is cut off or damaged/);
    refused(
      zipFile([{ name: 'word/document.xml', bytes: new Uint8Array(3) }]),
      /without a data\.pkl.*such as word\/document\.xml/,
    );
    refused(zipFile([{ name: 'a/data.pkl', bytes: pickle(1), method: 8 }]), /record a\/data\.pkl is compressed/);
    const page = new TextEncoder().encode('<!DOCTYPE html><title>404</title>');
    refused(page, /model\.pt is a web page or XML/, 'model.pt');
    refused(new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\n'), /is a pointer of Git LFS/);
    refused(new Uint8Array(0), /is in no known format \(0 bytes\)/);
    expect(() => openTensorFile('/nowhere/x.pt')).toThrow(/x\.pt cannot be read: there is no such file/);
    expect(() => openTensorFile('/')).toThrow(/it is not a file/);
  });

  it('are bounded: circles, deep nesting and "ten times the same, ten times" end with a sentence or a result', () => {
    // l = []; l.append(l)
    const circle = Uint8Array.of(0x80, 2, 0x5d, 0x71, 0, 0x68, 0, 0x61, 0x2e);
    const laughs: number[] = [0x80, 2, 0x5d, 0x71, 0];
    for (let level = 1; level < 40; level++) {
      laughs.push(
        0x5d,
        0x28,
        ...Array(10)
          .fill([0x68, level - 1])
          .flat(),
        0x65,
        0x71,
        level,
      );
    }
    const deep = [0x80, 2, ...Array(100).fill(0x5d), ...Array(99).fill(0x61), 0x2e];
    const asZip = (bytes: ArrayLike<number>): Uint8Array =>
      zipFile([{ name: 'a/data.pkl', bytes: Uint8Array.from(bytes) }]);
    expect(readTensors(asZip(circle), 'c.pt').names()).toEqual([]);
    expect(() => readTensors(asZip([...laughs, 0x2e]), 'l.pt')).toThrow(/l\.pt holds more than 2000000 values/);
    expect(() => readTensors(asZip(deep), 'd.pt')).toThrow(/nests dictionaries more than 64 deep/);
    expect(() => readTensors(asZip(Array(6_000_000).fill(0x5d)), 'm.pt')).toThrow(/more than 5000000 steps/);
    const claim = (...code: number[]): void =>
      expect(() => readTensors(asZip([0x80, 4, ...code]), 'x.pt')).toThrow(/x\.pt is (cut off|damaged|no pickle)/);
    claim(0x8d, 0, 0, 0, 0, 0, 0, 0x10, 0); // 2^52 bytes of text
    claim(0x8d, 255, 255, 255, 255, 255, 255, 255, 255);
    claim(0x58, 255, 255, 255, 255);
    claim(0x8b, 255, 255, 255, 127); // a number of 2 GiB
    claim(0x68, 3); // an object that was never made
    claim(0x74, 0x2e);
  });
});

describe('files over 2 GiB', () => {
  const bytes = 5 * 2 ** 29;
  const small = Float32Array.of(1, -2, 3);

  /** A file with `head`, then a hole of that size, then `tail`. */
  function sparse(name: string, head: Uint8Array, tail: Uint8Array): string {
    const path = join(temporaryFolder(), name);
    const file = openSync(path, 'w');
    ftruncateSync(file, head.length + bytes + tail.length);
    writeSync(file, head, 0, head.length, 0);
    writeSync(file, tail, 0, tail.length, head.length + bytes);
    return path;
  }

  it('are read by position: safetensors', () => {
    const header = JSON.stringify({
      large: { dtype: 'F16', shape: [bytes / 2], data_offsets: [0, bytes] },
      small: { dtype: 'F32', shape: [3], data_offsets: [bytes, bytes + 12] },
    });
    const length = new Uint8Array(BigUint64Array.of(BigInt(header.length)).buffer);
    const path = sparse(
      'large.safetensors',
      concat(length, new TextEncoder().encode(header)),
      new Uint8Array(small.buffer),
    );
    using file = openTensorFile(path);
    expect(values(file, 'small')).toEqual([1, -2, 3]);
    expect(file.info('large').shape).toEqual([bytes / 2]);
  });

  it('are read by position: zip64', () => {
    const storage = { type: 'HalfStorage', elements: bytes / 2, bytes: new Uint8Array(0) };
    const tiny = floats(...small);
    const root = new Map([
      ['large', tensorOf('0', storage, [4], { offset: bytes / 2 - 4 })],
      ['small', tensorOf('1', tiny, [3])],
    ]);
    const pickled = { name: 'a/data.pkl', bytes: pickle(root) };
    const [large, last] = [
      { name: 'a/data/0', bytes: new Uint8Array(0) },
      { name: 'a/data/1', bytes: tiny.bytes },
    ];
    const first = concat(zipHeader(pickled), pickled.bytes);
    const head = concat(first, zipHeader(large));
    const lastAt = head.length + bytes;
    const end = concat(zipHeader(last), last.bytes);
    const directory = zipTail(
      [
        { ...pickled, size: pickled.bytes.length, method: 0, at: 0 },
        { ...large, size: bytes, method: 0, at: first.length },
        { ...last, size: tiny.bytes.length, method: 0, at: lastAt },
      ],
      lastAt + end.length,
      true,
    );
    using file = openTensorFile(sparse('large.pt', head, concat(end, directory)));
    expect(values(file, 'small')).toEqual([1, -2, 3]);
    expect(values(file, 'large')).toEqual([0, 0, 0, 0]);
  });
});
