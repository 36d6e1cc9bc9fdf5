import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canvasFlags, launchChromium } from '../../src/verify/browser/launch.node.ts';
import { bundleForPage, chromiumIsMissing, root, serveFolder } from './support.ts';

const page = readFileSync(join(root, 'docs/embed.md'), 'utf8');
const [application = '', embedding = '', recovering = ''] = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map(
  ([, code = '']) => code,
);

/** Mean over 5 x 5 windows of the checkerboard in the page, zeros around it, as the red of one of 64 x 64 cells. */
function expectedRed(row: number, column: number): number {
  let sum = 0;
  for (let y = row - 2; y <= row + 2; y++) {
    for (let x = column - 2; x <= column + 2; x++) {
      if (y < 0 || y > 63 || x < 0 || x > 63) continue;
      sum += ((x >> 3) + (y >> 3)) & 1;
    }
  }
  return Math.round((255 * sum) / 25);
}

describe('the twenty lines of docs/embed.md', () => {
  it('are twenty', () => {
    expect(application).toContain('requestDevice');
    expect(embedding.trimEnd().split('\n')).toHaveLength(20);
  });
});

if (chromiumIsMissing) console.log(`Not tried in a browser: ${chromiumIsMissing}`);

describe.skipIf(chromiumIsMissing)('the twenty lines of docs/embed.md in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium('auto', canvasFlags);
  });
  afterAll(() => browser?.close());

  it('draw what the engine computed, without an error of the device', async () => {
    const look = `
      const problems = [];
      device.addEventListener('uncapturederror', ({ error }) => problems.push(error.message));
      globalThis.look = () => new Promise((done) => requestAnimationFrame(() => {
        const copy = new OffscreenCanvas(256, 256).getContext('2d');
        copy.drawImage(context.canvas, 0, 0);
        done({ problems, pixels: [...copy.getImageData(0, 0, 256, 256).data] });
      }));`;
    const { text } = await bundleForPage(application + embedding + look);
    const html =
      '<!doctype html><canvas width="256" height="256"></canvas><script type="module" src="/main.js"></script>';
    const server = await serveFolder(root, { '/': html, '/main.js': text });
    try {
      const tab = await browser.newPage();
      const failed = new Promise<never>((_, reject) => tab.on('pageerror', reject));
      await tab.goto(server.address);
      await Promise.race([failed, tab.waitForFunction(() => 'look' in globalThis)]);
      const { problems, pixels } = await tab.evaluate(() =>
        (globalThis as unknown as { look: () => Promise<{ problems: string[]; pixels: number[] }> }).look(),
      );
      expect(problems).toEqual([]);
      for (const [row, column] of [
        [0, 0],
        [4, 12],
        [8, 8],
        [7, 30],
        [63, 63],
        [40, 5],
      ] as const) {
        const at = 4 * (256 * (4 * row + 1) + 4 * column + 2);
        expect(Math.abs((pixels[at] ?? -1) - expectedRed(row, column)), `${row}, ${column}`).toBeLessThanOrEqual(1);
        expect(pixels[at + 1]).toBe(51);
      }
    } finally {
      server.close();
    }
  });

  it('go on after a lost device, further down, as if nothing had happened', async () => {
    const before = `
      import { backward, matmul, mean, square, sub, tensor } from 'groundray';
      import { Linear } from 'groundray/nn';
      const model = new Linear(2, 1);
      let losing = new URLSearchParams(location.search).has('lose');
      const trainStep = (gpu, optimizer) => gpu.scope(() => {
        const step = optimizer.steps;
        if (losing && step === 13) {
          losing = false;
          gpu.device.destroy();
        }
        const x = tensor(gpu, Array.from({ length: 8 }, (_, i) => Math.sin(i + step)), [4, 2]);
        const y = tensor(gpu, [1, 2, 3, 4], [4, 1]);
        optimizer.arena.zeroGrad();
        backward([mean(square(sub(model.forward(x), y)), null)]);
        optimizer.step({ learningRate: 0.1 });
      });`;
    const after = `
      const { weights } = await save();
      globalThis.learned = { weight: [...weights.get('weight').data], bias: [...weights.get('bias').data], losing };`;
    const { text } = await bundleForPage(before + recovering + after);
    const html = '<!doctype html><script type="module" src="/main.js"></script>';
    const server = await serveFolder(root, { '/': html, '/main.js': text });
    const learned = async (address: string): Promise<unknown> => {
      const tab = await browser.newPage();
      const failed = new Promise<never>((_, reject) => tab.on('pageerror', reject));
      await tab.goto(address);
      await Promise.race([failed, tab.waitForFunction(() => 'learned' in globalThis)]);
      return tab.evaluate(() => (globalThis as unknown as { learned: unknown }).learned);
    };
    try {
      const quiet = (await learned(server.address)) as { weight: number[] };
      expect(quiet.weight.every((value) => Number.isFinite(value) && Math.abs(value) > 1e-3)).toBe(true);
      expect(await learned(`${server.address}/?lose`)).toEqual(quiet);
    } finally {
      server.close();
    }
  });
});
