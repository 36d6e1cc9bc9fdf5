import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

// Inside node_modules, so that the packages left out of the bundle are found.
const folder = fileURLToPath(new URL(`../../node_modules/.groundray-compiled-${process.pid}`, import.meta.url));
const source = (file: string) => fileURLToPath(new URL(`../../src/data/${file}`, import.meta.url));

const program = `
import { createBatchLoader } from './loader.node.js';
const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'no'];
const loader = await createBatchLoader({
  dataset: { kind: 'phantom', count: 10, size: 32 }, tokenizer: { vocabulary, lowerCase: true },
  split: 'train', batchSize: 2, imageSize: 32, maxTokens: 64, seed: 1, workers: 1,
});
const { studyIds } = await loader.batch(0, 1);
process.stdout.write(JSON.stringify({ workers: loader.workers, notice: loader.notice, studies: studyIds.length }));
`;
const run = () => {
  // The program ends without closing the loader: idle workers must not keep it alive.
  const { stdout, stderr, status } = spawnSync(process.execPath, ['main.js'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as { workers: number; notice?: string; studies: number };
};

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  const shared = { bundle: true, format: 'esm', platform: 'node', packages: 'external', outdir: folder } as const;
  await build({ ...shared, entryPoints: [source('loader.node.ts'), source('loader-worker.node.ts')] });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'main.js'), program);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the batch loader as a compiled bundle', () => {
  it('starts the worker file beside it and lets the program end', () => {
    expect(run()).toEqual({ workers: 1, studies: 2 });
  });

  it('makes batches on the main thread where the worker file is missing, and says so', () => {
    rmSync(join(folder, 'loader-worker.node.js'));
    const { workers, notice, studies } = run();
    expect([workers, studies]).toEqual([0, 2]);
    expect(notice).toMatch(
      /on the main thread, because a worker thread could not start: .*loader-worker\.node\.js is missing/,
    );
  });
});
