import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { writeFileAtomic, writeJsonAtomic } from '../../src/io/atomic.node.ts';
import { barChartSvg, lineChartSvg } from '../../src/io/charts.node.ts';
import { encodeGrayPng, encodePng } from '../../src/io/png.node.ts';

const folder = mkdtempSync(join(tmpdir(), 'groundray-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('writeFileAtomic', () => {
  it('writes bytes, text and streamed pieces and leaves no temporary file', async () => {
    const inside = join(folder, 'new', 'folder');
    await writeFileAtomic(join(inside, 'bytes'), Uint8Array.of(1, 2, 255));
    await writeFileAtomic(join(inside, 'text'), 'Größe');
    await writeFileAtomic(
      join(inside, 'stream'),
      (async function* () {
        yield Uint8Array.of(1);
        yield Uint8Array.of(2, 3);
      })(),
    );
    await writeJsonAtomic(join(inside, 'value.json'), { a: [1] });
    expect([...readFileSync(join(inside, 'bytes'))]).toEqual([1, 2, 255]);
    expect(readFileSync(join(inside, 'text'), 'utf8')).toBe('Größe');
    expect([...readFileSync(join(inside, 'stream'))]).toEqual([1, 2, 3]);
    expect(JSON.parse(readFileSync(join(inside, 'value.json'), 'utf8'))).toEqual({ a: [1] });
    expect(readdirSync(inside).sort()).toEqual(['bytes', 'stream', 'text', 'value.json']);
  });

  it('writes only the window of a view into a larger buffer', async () => {
    const path = join(folder, 'view');
    await writeFileAtomic(path, Uint8Array.of(9, 8, 7, 6).subarray(1, 3));
    expect([...readFileSync(path)]).toEqual([8, 7]);
  });

  it('keeps the old content when producing the new one fails half-way', async () => {
    const path = join(folder, 'kept');
    await writeFileAtomic(path, 'old');
    const failing = (async function* () {
      yield Uint8Array.of(1);
      throw new Error('device lost');
    })();
    await expect(writeFileAtomic(path, failing)).rejects.toThrow(/Cannot write .*kept: device lost/);
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder).filter((name) => name.startsWith('kept'))).toEqual(['kept']);
  });

  it('leaves one of two contents whole when two writes race', async () => {
    const path = join(folder, 'race');
    const a = 'a'.repeat(100_000);
    const b = 'b'.repeat(50_000);
    await Promise.all([writeFileAtomic(path, a), writeFileAtomic(path, b)]);
    expect([a, b]).toContain(readFileSync(path, 'utf8'));
  });
});

describe('encodePng', () => {
  it.each([1, 3, 4] as const)('round-trips %i channels', (channels) => {
    const data = Uint8Array.from({ length: 3 * 2 * channels }, (_, i) => i * 9);
    const decoded = PNG.sync.read(Buffer.from(encodePng({ width: 3, height: 2, channels, data })));
    expect([decoded.width, decoded.height]).toEqual([3, 2]);
    for (let pixel = 0; pixel < 6; pixel++) {
      const at = (c: number) => data[pixel * channels + (channels === 1 ? 0 : c)];
      const expected = [at(0), at(1), at(2), channels === 4 ? at(3) : 255];
      expect([...decoded.data.subarray(pixel * 4, pixel * 4 + 4)]).toEqual(expected);
    }
  });

  it('clamps and rounds grey values', () => {
    const png = encodeGrayPng({ width: 4, height: 1, data: [-1, 0.5, 1, 7] });
    const decoded = PNG.sync.read(Buffer.from(png));
    expect([0, 4, 8, 12].map((i) => decoded.data[i])).toEqual([0, 128, 255, 255]);
  });

  it('refuses data of the wrong length', () => {
    expect(() => encodePng({ width: 2, height: 2, channels: 3, data: new Uint8Array(4) })).toThrow(/12 bytes, got 4/);
  });
});

describe('charts', () => {
  it('draws a self-contained SVG that follows the colour scheme', () => {
    const svg = lineChartSvg({
      title: 'Loss <train>',
      xLabel: 'step',
      yLabel: 'loss',
      series: [
        { name: 'global', x: [0, 1, 2], y: [3, Number.NaN, 1] },
        { name: 'local', x: [0, 1, 2], y: [2, 1, 0.5] },
      ],
    });
    expect(svg).toMatch(/^<svg [^>]*class="groundray-chart"|^<svg class="groundray-chart"/);
    expect(svg).toContain('Loss &lt;train&gt;');
    expect(svg).toContain('currentColor');
    expect(svg).toContain('prefers-color-scheme');
    expect(svg).not.toMatch(/<script|href=|NaN|#010203|#040506/);
  });

  it('is well-formed XML, so that viewers draw it', async () => {
    const svg = lineChartSvg({ title: '<t>', xLabel: 'x', yLabel: 'y', series: [{ name: 'a', x: [0, 1], y: [0, 1] }] });
    const pixels = await sharp(Buffer.from(svg)).flatten({ background: '#fff' }).greyscale().raw().toBuffer();
    expect(Math.min(...pixels.subarray(0, 50_000)), 'the title is drawn').toBeLessThan(100);
    expect(pixels.filter((value) => value === 255).length).toBeGreaterThan(pixels.length / 2);
  });

  it('accepts an empty series, one point and a log axis', () => {
    const series = [{ name: 'a', x: [1], y: [0] }];
    expect(lineChartSvg({ title: 't', xLabel: 'x', yLabel: 'y', series, logY: true })).toContain('<svg');
    expect(lineChartSvg({ title: 't', xLabel: 'x', yLabel: 'y', series: [] })).toContain('<svg');
  });

  it('draws bars and refuses series that do not fit the categories', () => {
    const categories = ['edema', 'pleural effusion'];
    const svg = barChartSvg({
      title: 't',
      yLabel: 'IoU',
      categories,
      series: [{ name: 'm', values: [0.2, Number.NaN] }],
    });
    expect(svg).toContain('edema');
    expect(() => barChartSvg({ title: 't', yLabel: 'IoU', categories, series: [{ name: 'm', values: [1] }] })).toThrow(
      /1 values for 2 categories/,
    );
  });
});
