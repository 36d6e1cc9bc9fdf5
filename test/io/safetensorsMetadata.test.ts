import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts';
import { changeMetadata, readMetadata } from '../../src/io/safetensorsMetadata.node.ts';
import { temporaryFolder } from '../support/tinyRun.ts';

const tensors = new Map([['a', { shape: [3], data: Float32Array.of(1, -2, 0.5) }]]);

describe('changeMetadata', () => {
  it('adds, replaces and takes away entries and leaves the tensors as they are', async () => {
    const path = join(temporaryFolder(), 'x.safetensors');
    writeFileSync(path, writeSafetensors(tensors, { kept: 'yes', old: '1' }));
    await changeMetadata(path, { old: '2', added: 'a "quoted" \u2013 text'.repeat(40) });
    const changed = readSafetensors(readFileSync(path), path);
    expect(changed.metadata).toEqual({ kept: 'yes', old: '2', added: 'a "quoted" \u2013 text'.repeat(40) });
    expect([...changed.tensor('a').data]).toEqual([1, -2, 0.5]);
    await changeMetadata(path, { kept: undefined, old: undefined, added: undefined });
    expect(await readMetadata(path)).toEqual({});
    expect(readFileSync(path)).toEqual(Buffer.from(writeSafetensors(tensors)));
  });

  it('refuses what is no safetensors file and leaves it alone', async () => {
    const path = join(temporaryFolder(), 'x.safetensors');
    for (const content of [Buffer.from('short'), Buffer.alloc(64, 0xff), Buffer.from('\u0002\0\0\0\0\0\0\0no')]) {
      writeFileSync(path, content);
      await expect(changeMetadata(path, { a: 'b' })).rejects.toThrow(/x\.safetensors is not a safetensors file/);
      expect(readFileSync(path)).toEqual(content);
    }
  });
});
