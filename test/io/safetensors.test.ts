import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSafetensors, safetensorsChunks, writeSafetensors } from '../../src/io/safetensors.ts';
import { hasMaterials, materials, openMaterial } from '../support/materials.ts';

/** A file with the given header and data bytes, whatever they say. */
function fileOf(header: unknown, data: ArrayLike<number> = []): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + data.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  file.set(Uint8Array.from(data), 8 + json.length);
  return file;
}

function read(header: unknown, data?: ArrayLike<number>) {
  return readSafetensors(fileOf(header, data), 'net.safetensors');
}

describe('safetensors', () => {
  const weights = { shape: [2, 3], data: new Float32Array([1, -2, 3.5, 0, 1e-30, -1e30]) };
  const tensors = new Map<string, { shape: number[]; data: Float32Array | Int32Array | BigInt64Array }>([
    ['layer.weight', weights],
    ['steps', { shape: [], data: new BigInt64Array([-7n]) }],
    ['ids', { shape: [3], data: new Int32Array([1, -2, 2 ** 31 - 1]) }],
    ['none', { shape: [0, 4], data: new Float32Array(0) }],
    ['größe', { shape: [1], data: new Float32Array([2]) }],
  ]);

  it('reads back what it wrote, at any position in memory', () => {
    const bytes = writeSafetensors(tensors, { format: 'pt', step: '12' });
    expect(bytes.length % 4).toBe(0);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    for (const content of [bytes, bytes.buffer, shifted.subarray(3)]) {
      const file = readSafetensors(content, 'net.safetensors');
      expect(file.names().sort()).toEqual([...tensors.keys()].sort());
      expect(file.metadata).toEqual({ format: 'pt', step: '12' });
      expect(file.tensor('layer.weight')).toEqual(weights);
      expect(file.tensor('none')).toEqual({ shape: [0, 4], data: new Float32Array(0) });
      expect(file.tensor('größe').data).toEqual(new Float32Array([2]));
      expect(file.integers('ids').data).toEqual(new Int32Array([1, -2, 2 ** 31 - 1]));
      expect(file.integers('steps')).toEqual({ shape: [], data: new Int32Array([-7]) });
    }
  });

  it('can be written in parts', () => {
    const parts = [...safetensorsChunks(tensors)];
    expect(parts.length).toBe(tensors.size + 1);
    expect(Uint8Array.from(parts.flatMap((part) => [...part]))).toEqual(writeSafetensors(tensors));
  });

  it('gives a copy, so that changing a tensor leaves the file alone', () => {
    const file = readSafetensors(writeSafetensors(tensors), 'net.safetensors');
    file.tensor('layer.weight').data.fill(9);
    expect(file.tensor('layer.weight')).toEqual(weights);
  });

  it('decodes float16, bfloat16 and float64 exactly, subnormal and non-finite ones included', () => {
    const half = Uint16Array.of(0x3c00, 0xc100, 0x0001, 0x8000, 0x7bff, 0x7c00, 0xfe00);
    const brain = Uint16Array.of(0x3f80, 0xc020, 0x0001, 0xff80);
    const double = Float64Array.of(0.1, -3);
    const header = {
      half: { dtype: 'F16', shape: [7], data_offsets: [0, 14] },
      brain: { dtype: 'BF16', shape: [4], data_offsets: [14, 22] },
      double: { dtype: 'F64', shape: [2], data_offsets: [22, 38] },
    };
    const data = [half, brain, double].flatMap((array) => [...new Uint8Array(array.buffer)]);
    const file = read(header, data);
    expect([...file.tensor('half').data]).toEqual([1, -2.5, 2 ** -24, -0, 65504, Infinity, NaN]);
    expect([...file.tensor('brain').data]).toEqual([1, -2.5, 2 ** -133, -Infinity]);
    expect([...file.tensor('double').data]).toEqual([Math.fround(0.1), -3]);
  });

  const f32 = (begin: number, end: number, shape = [1]) => ({ dtype: 'F32', shape, data_offsets: [begin, end] });

  it('refuses files that are cut off, overlap or have holes', () => {
    expect(() => readSafetensors(new Uint8Array(5), 'a.bin')).toThrow(
      /a\.bin is not a safetensors file: it has 5 bytes/,
    );
    expect(() => readSafetensors(new Uint8Array(64).fill(80), 'page.html')).toThrow(/page\.html.*header would take/);
    const whole = writeSafetensors(tensors);
    expect(() => readSafetensors(whole.subarray(0, whole.length - 1), 'net')).toThrow(/net is cut off/);
    expect(() => readSafetensors(whole.subarray(0, 40), 'net')).toThrow(/cut off/);
    expect(() => read({ a: f32(0, 4), b: f32(2, 6) }, [1, 2, 3, 4, 5, 6])).toThrow(
      /tensor b overlaps.*byte 2, expected 4/,
    );
    expect(() => read({ a: f32(0, 4), b: f32(8, 12) }, new Uint8Array(12))).toThrow(/tensor b leaves unused bytes/);
    expect(() => read({ a: f32(0, 4) }, new Uint8Array(8))).toThrow(/belong to no tensor.*4 bytes of data, it has 8/);
  });

  it('refuses headers that make no sense and names file and tensor', () => {
    const four = [0, 0, 0, 0];
    expect(() => read('{"a":')).toThrow(/net\.safetensors is not a safetensors file: its header is not JSON/);
    expect(() => read('[1]')).toThrow(/not a JSON object/);
    expect(() => read({ __metadata__: { step: 3 } })).toThrow(/net\.safetensors: __metadata__/);
    expect(() => read({ a: f32(0, 4, [2]) }, four)).toThrow(
      /tensor a of shape \[2\] and dtype F32 takes 8 bytes.*span 4/,
    );
    expect(() => read({ a: { ...f32(0, 4), dtype: 'F31' } }, four)).toThrow(/tensor a has the unknown dtype "F31"/);
    expect(() => read({ a: { ...f32(0, 4), dtype: 'toString' } }, four)).toThrow(/unknown dtype/);
    expect(() => read({ a: f32(0, 4, [-1]) }, four)).toThrow(/tensor a has no valid shape: \[-1\]/);
    expect(() => read({ a: f32(0, 4, [2 ** 40, 2 ** 40]) }, four)).toThrow(/tensor a/);
    expect(() => read({ a: { dtype: 'F32', shape: [1], data_offsets: [4, 0] } }, four)).toThrow(
      /no valid data offsets/,
    );
    expect(() => read({ a: null })).toThrow(/tensor a has no description/);
  });

  it('says what a tensor holds when another kind was expected', () => {
    const file = readSafetensors(writeSafetensors(tensors), 'net.safetensors');
    expect(() => file.tensor('ids')).toThrow(/net\.safetensors: tensor ids holds I32, expected F32/);
    expect(() => file.integers('layer.weight')).toThrow(/tensor layer\.weight holds F32, expected I64/);
    expect(() => file.tensor('bias')).toThrow(/has no tensor bias; it has 5/);
    const large = new Map([['n', { shape: [1], data: new BigInt64Array([2n ** 40n]) }]]);
    expect(() => readSafetensors(writeSafetensors(large), 'x').integers('n')).toThrow(
      /element 0 of tensor n is 1099511627776/,
    );
  });

  it('does not write tensors whose elements do not fill their shape', () => {
    expect(() => writeSafetensors(new Map([['a', { shape: [3], data: new Float32Array(2) }]]))).toThrow(
      /\[3\].*2 elements/,
    );
  });
});

const published = 'data/weights/resnet20-cifar10';

describe.skipIf(!hasMaterials(`${published}/resnet20-stripped.safetensors`))('a published file', () => {
  it('has the values that PyTorch reads from it', () => {
    const file = openMaterial(`${published}/resnet20-stripped.safetensors`);
    const { tensors: expected }: { tensors: Record<string, { shape: number[]; sum: number; first: number[] }> } =
      JSON.parse(readFileSync(`${materials}/${published}/expected.json`, 'utf8'));
    expect(file.names().sort()).toEqual(Object.keys(expected).sort());
    for (const [name, { shape, sum, first }] of Object.entries(expected)) {
      const tensor = file.tensor(name);
      expect(tensor.shape).toEqual(shape);
      expect([...tensor.data.slice(0, first.length)]).toEqual(first);
      expect([...tensor.data].reduce((total, value) => total + value, 0)).toBeCloseTo(sum, 3);
    }
  });
});
