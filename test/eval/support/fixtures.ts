import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Folder of the optional reference materials, relative to the repository unless GROUNDRAY_SHARED names it. */
export const SHARED = process.env.GROUNDRAY_SHARED ?? fileURLToPath(new URL('../../../../shared', import.meta.url));

export const HAS_FIXTURES = existsSync(`${SHARED}/fixtures/manifest.json`);

export interface FixtureCase {
  name: string;
  attrs: Record<string, unknown>;
  outputs: { name: string; tensor: string; rtol: number; atol: number }[];
}

export interface FixtureTensor {
  shape: number[];
  data: Float32Array | Int32Array;
}

/** Cases and tensors of one group of numeric fixtures. */
export function readFixtures(group: string): { cases: FixtureCase[]; tensor: (name: string) => FixtureTensor } {
  const manifest = JSON.parse(readFileSync(`${SHARED}/fixtures/manifest.json`, 'utf8'));
  const entry = manifest.groups.find((g: { name: string }) => g.name === group);
  const bytes = readFileSync(`${SHARED}/fixtures/${entry.file}`);
  const headerSize = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerSize));
  return {
    cases: entry.cases,
    tensor(name) {
      const { dtype, shape, data_offsets } = header[name];
      const piece = Uint8Array.from(bytes.subarray(8 + headerSize + data_offsets[0], 8 + headerSize + data_offsets[1]));
      return { shape, data: dtype === 'I32' ? new Int32Array(piece.buffer) : new Float32Array(piece.buffer) };
    },
  };
}
