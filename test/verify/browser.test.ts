import { describe, expect, it } from 'vitest';
import { describeAdapter } from '../../src/gpu/adapter.ts';
import { bundlePage } from '../../src/verify/browser/bundle.node.ts';
import { findChromium } from '../../src/verify/browser/chromium.node.ts';
import { verifyInBrowser } from '../../src/verify/browser/launch.node.ts';
import { servePage } from '../../src/verify/browser/server.node.ts';
import type { FixtureSource } from '../../src/verify/format.ts';
import { failureLines } from '../../src/verify/table.ts';
import { f32, fixturesOf, groupFiles, memorySource } from './support/memory.ts';

const hasChromium = await findChromium().then(
  () => true,
  () => false,
);

const source: FixtureSource = memorySource(
  fixturesOf(
    groupFiles('products', [
      {
        name: 'right',
        op: 'matmul',
        inputs: { a: f32([1, 2], 1, 2), b: f32([2, 1], 3, 4) },
        outputs: { y: f32([1, 1], 11) },
      },
      { name: 'wrong', op: 'neg', inputs: { x: f32([2], 1, 2) }, outputs: { y: f32([2], -1, -3) } },
    ]),
  ),
);

describe('the page of the verifier', () => {
  it('is one script that reaches no built-in of Node', async () => {
    const script = await bundlePage();
    expect(script).toContain('verifyFixtures');
    expect(script).not.toMatch(/^import\b|\brequire\(|['"]node:/m);
  });

  it('is served with the files of the folder and nothing else', async () => {
    const server = await servePage('script', source);
    try {
      const get = async (path: string) => {
        const response = await fetch(new URL(path, server.address));
        return { status: response.status, text: await response.text() };
      };
      expect(await get('/page.js')).toEqual({ status: 200, text: 'script' });
      expect((await get('/fixtures/manifest.json')).text).toContain('products.safetensors');
      expect(await get('/fixtures/other')).toMatchObject({
        status: 404,
        text: expect.stringContaining('no such file'),
      });
      expect((await get('/fixtures/..%2Fsecret')).status).toBe(404);
      expect((await get('/package.json')).status).toBe(404);
    } finally {
      await server.close();
    }
  });
});

describe.skipIf(!hasChromium)('verifyInBrowser', () => {
  it('runs the same cases in Chromium and reports what misses', { timeout: 300_000 }, async () => {
    const adapters: string[] = [];
    const [group] = await verifyInBrowser(source, {
      adapter: 'swiftshader',
      onAdapter: (adapter) => adapters.push(describeAdapter(adapter)),
    });
    expect(adapters).toEqual(['google swiftshader (software adapter)']);
    expect(group).toMatchObject({ group: 'products', passed: 1, failed: 1 });
    expect(group!.failures.flatMap(failureLines)).toEqual([
      expect.stringMatching(/^FAILED products\/wrong y: element 1: expected -3, got -2 /),
    ]);
  });

  it('passes on what is wrong with the folder', { timeout: 300_000 }, async () => {
    await expect(verifyInBrowser(memorySource({}), { adapter: 'auto' })).rejects.toThrow(/^Cannot read manifest\.json/);
  });
});
