import { describe, expect, it } from 'vitest';
import { browserEntries, bundleForPage } from './support.ts';

/** What a page may download for the whole engine, minified and compressed with gzip. */
const budget = 60_000;

describe('the size of the engine', () => {
  it('stays below 60 KB with everything that it exports', async () => {
    const sizes: string[] = [];
    let engine = 0;
    for (const entry of Object.keys(browserEntries)) {
      const { gzipBytes } = await bundleForPage(`import * as all from '${entry}'; globalThis.all = all;`);
      if (entry === 'groundray') engine = gzipBytes;
      sizes.push(`${entry} ${(gzipBytes / 1000).toFixed(1)} KB`);
    }
    console.log(`Minified and compressed, everything exported: ${sizes.join(', ')}.`);
    expect(engine).toBeGreaterThan(0);
    expect(engine).toBeLessThanOrEqual(budget);
  });

  it('is what a page uses: kernels and shaders of other operations are left out', async () => {
    const use = `import { backward, createGpu, matmul, tensor } from 'groundray';
      globalThis.used = { backward, createGpu, matmul, tensor };`;
    const all = await bundleForPage("import * as all from 'groundray'; globalThis.all = all;");
    const { text, gzipBytes } = await bundleForPage(use);
    console.log(`Matrix products and their gradients alone: ${(gzipBytes / 1000).toFixed(1)} KB.`);
    expect(gzipBytes).toBeLessThan(0.6 * all.gzipBytes);
    for (const shader of ['crossEntropy', 'conv2d', 'attentionGradQuery', 'maxPool2d']) {
      expect(all.text).toContain(`"${shader}`);
      expect(text).not.toContain(`"${shader}`);
    }
  });
});
