import { expect, it } from 'vitest';
import { patch, stride } from '../../examples/heat-map/alike.ts';
import { describeInChromium } from './support/page.ts';

/** Correlation of every patch with the one around `cell`, zeros beyond the image, from the definition in float64. */
function correlations(pixels: readonly number[], size: number, cells: number, cell: number): number[] {
  const reach = (patch - 1) / 2;
  const cut = (at: number): number[] => {
    const [cy, cx] = [stride * Math.floor(at / cells), stride * (at % cells)];
    const values = Array.from({ length: patch * patch }, (_, i) => {
      const [y, x] = [cy - reach + Math.floor(i / patch), cx - reach + (i % patch)];
      return x < 0 || y < 0 || x >= size || y >= size ? 0 : pixels[y * size + x]!;
    });
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return values.map((value) => value - mean);
  };
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
  const chosen = cut(cell);
  return Array.from({ length: cells * cells }, (_, i) => {
    const other = cut(i);
    return dot(other, chosen) / Math.max(Math.sqrt(dot(other, other) * dot(chosen, chosen)), 1e-8);
  });
}

/** The shader's picture, computed on the host. */
function picture(pixels: readonly number[], size: number, cells: number, heat: readonly number[]): number[] {
  const at = (x: number, y: number): number => {
    const inside = (v: number): number => Math.min(cells - 1, Math.max(0, v));
    return heat[inside(y) * cells + inside(x)]!;
  };
  const mix = (a: number, b: number, share: number): number => a + (b - a) * share;
  return Array.from({ length: size * size }, (_, i) => {
    const place = (v: number): number => ((v + 0.5) / size) * cells - 0.5;
    const [x, y] = [place(i % size), place(Math.floor(i / size))];
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const upper = mix(at(left, top), at(left + 1, top), x - left);
    const lower = mix(at(left, top + 1), at(left + 1, top + 1), x - left);
    const level = Math.min(1, Math.max(0, mix(upper, lower, y - top)));
    const opacity = 0.75 * level;
    const colors = [mix(0, 1, level), mix(0.27, 0.87, level), mix(0.7, 0.1, level)];
    return colors.map((color) => 255 * mix(pixels[i]!, color, opacity));
  }).flat();
}

describeInChromium(
  'heat-map',
  (page) => {
    it("draws frames from the engine's buffer without a readback, and the engine submits none of them", async () => {
      await page().waitForFunction(() => (globalThis.heatMapExample?.frames() ?? 0) > 0);
      const seen = () =>
        page().evaluate(() => ({
          frames: globalThis.heatMapExample.frames(),
          submits: globalThis.heatMapExample.gpu.counters.submits,
          maps: (globalThis as { mapCalls?: number }).mapCalls ?? 0,
        }));
      const before = await seen();
      await page().hover('canvas');
      await page().waitForFunction((frames) => globalThis.heatMapExample.frames() > frames + 3, before.frames);
      const after = await seen();
      expect(after).toEqual({ frames: expect.any(Number), submits: before.submits, maps: 0 });
      expect(await page().textContent('body')).toContain('Research use only, not for diagnosis');
    });

    it.each([
      [0.3, 0.6],
      [0.99, 0.01],
    ])('shows how alike every place is to (%s, %s)', async (x, y) => {
      const drawn = await page().evaluate(
        async (place) => {
          const { device, pixels, size, cells, point, drawer } = globalThis.heatMapExample;
          const usage = GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC;
          const texture = device.createTexture({ size: [size, size], format: 'rgba8unorm', usage });
          const bytes = 4 * size * size;
          const staging = device.createBuffer({
            size: bytes,
            usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
          });
          point(place[0]!, place[1]!);
          const encoder = device.createCommandEncoder();
          drawer('rgba8unorm')(texture.createView(), encoder);
          encoder.copyTextureToBuffer({ texture }, { buffer: staging, bytesPerRow: 4 * size }, [size, size]);
          device.queue.submit([encoder.finish()]);
          await staging.mapAsync(GPUMapMode.READ);
          const rgba = [...new Uint8Array(staging.getMappedRange())];
          return { rgba, pixels: [...pixels], size, cells };
        },
        [x, y],
      );
      const { rgba, size, cells } = drawn;
      const pixels = drawn.pixels.map((value) => Math.round(255 * value) / 255);
      const cell = Math.floor(y * cells) * cells + Math.floor(x * cells);
      const expected = picture(pixels, size, cells, correlations(drawn.pixels, size, cells, cell));
      const colors = rgba.filter((_, i) => i % 4 !== 3);
      const worst = Math.max(...colors.map((value, i) => Math.abs(value - expected[i]!)));
      expect(worst).toBeLessThan(2);
      expect(new Set(colors).size).toBeGreaterThan(20);
    });
  },
  {
    drawsWithWebGpu: true,
    prepare: async (page) => {
      await page.addInitScript(() => {
        const { mapAsync } = GPUBuffer.prototype;
        GPUBuffer.prototype.mapAsync = function (...given) {
          const counted = globalThis as { mapCalls?: number };
          counted.mapCalls = (counted.mapCalls ?? 0) + 1;
          return mapAsync.apply(this, given);
        };
      });
    },
  },
);
