import type { WritableTensor } from '../../../src/io/safetensors.ts';
import { writeSafetensors } from '../../../src/io/safetensors.ts';
import { FixtureError } from '../../../src/verify/errors.ts';
import type { FixtureSource } from '../../../src/verify/format.ts';

export function f32(shape: readonly number[], ...values: readonly number[]): WritableTensor {
  return { shape, data: Float32Array.from(values) };
}

/** A fixtures folder that exists in memory: files by name, text or bytes. */
export function memorySource(files: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>): FixtureSource {
  return {
    location: 'memory',
    async read(file) {
      const content = files[file];
      if (content === undefined) throw new FixtureError(`Cannot read ${file} of the fixtures in memory: no such file.`);
      return typeof content === 'string' ? new TextEncoder().encode(content) : content;
    },
  };
}

/** The operators of one case, with arguments and expected outputs; every tensor is called `<case>/<in|out>/<name>`. */
export interface MemoryCase {
  readonly name: string;
  readonly op: string;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, WritableTensor>>;
  readonly outputs: Readonly<Record<string, WritableTensor>>;
  readonly atol?: number;
}

/** Manifest and safetensors file of one group. */
export function groupFiles(group: string, cases: readonly MemoryCase[]) {
  const tensors = new Map<string, WritableTensor>();
  const described = cases.map(({ name, op, attrs = {}, inputs, outputs, atol = 1e-6 }) => {
    const put = (kind: 'in' | 'out', all: Readonly<Record<string, WritableTensor>>, rest: object) =>
      Object.entries(all).map(([key, value]) => {
        const tensor = `${name}/${kind}/${key}`;
        tensors.set(tensor, value);
        return { name: key, tensor, dtype: 'f32', shape: value.shape, ...rest };
      });
    return { name, op, attrs, inputs: put('in', inputs, {}), outputs: put('out', outputs, { rtol: 0, atol }) };
  });
  const file = `${group}.safetensors`;
  return { manifest: { name: group, file, doc: '', cases: described }, file, content: writeSafetensors(tensors) };
}

/** A folder with the given groups. */
export function fixturesOf(...groups: readonly ReturnType<typeof groupFiles>[]) {
  const manifest = JSON.stringify({ version: 1, ops: {}, groups: groups.map((group) => group.manifest) });
  return { 'manifest.json': manifest, ...Object.fromEntries(groups.map(({ file, content }) => [file, content])) };
}
