import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { createGpu } from '../../src/gpu/create.node.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { readManifest } from '../../src/verify/format.ts';
import { runFixtures } from '../../src/verify/runner.ts';
import { folderSource } from '../../src/verify/source.node.ts';
import { failureLines } from '../../src/verify/table.ts';

const source = folderSource(fileURLToPath(new URL('../fixtures', import.meta.url)));
const manifest = await readManifest(source);

describe('the engine agrees with the float64 references', () => {
  for (const { name: group, cases } of manifest.groups) {
    it(`${group}: ${cases.length} cases`, { timeout: 600_000 }, async () => {
      let gpu: Gpu | undefined;
      const openGpu = async () => {
        gpu = await createGpu({ defaultLimits: process.env.GROUNDRAY_DEFAULT_LIMITS === '1' });
        return gpu;
      };
      // Every case has to give back the memory it took.
      let liveBytes = 0;
      const onCase = () => {
        liveBytes += gpu?.memoryReport().liveBytes ?? 0;
      };
      const [report] = await runFixtures(source, openGpu, { group, onCase });
      expect(liveBytes).toBe(0);
      expect(report?.failures.flatMap(failureLines)).toEqual([]);
      expect(report?.passed).toBe(cases.length);
    });
  }
});
