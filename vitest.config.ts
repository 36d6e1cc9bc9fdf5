import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const files = 'test/**/*.test.ts';

const source = resolve(import.meta.dirname, 'src');

export default defineConfig({
  // The package by its public names, as the examples import it.
  resolve: {
    alias: [
      { find: /^groundray$/, replacement: `${source}/index.node.ts` },
      { find: /^groundray\/(.+)$/, replacement: `${source}/index.$1.ts` },
    ],
  },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    // Which plans are in the user's cache must not decide what a test sees.
    env: { GROUNDRAY_TUNE: 'off' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: 'house', include: [files] } },
      {
        // WebGPU's guaranteed limits, no subgroups: what Firefox and old phones have.
        extends: true,
        test: { name: 'default limits', include: ['test/ops/**/*.test.ts'], env: { GROUNDRAY_DEFAULT_LIMITS: '1' } },
      },
    ],
  },
});
