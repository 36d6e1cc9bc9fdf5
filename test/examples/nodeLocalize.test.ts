import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelLocalizer } from '../../src/eval/modelLocalizer.ts';
import { createGpu } from '../../src/gpu/create.node.ts';
import { readImage } from '../../src/io/image.node.ts';
import { encodeGrayPng } from '../../src/io/png.node.ts';
import { openRunFolder } from '../../src/train/runFolder.node.ts';
import { loadTrainedModel } from '../../src/train/trainedModel.node.ts';
import { untrainedRun } from '../cli/support/tinyRun.ts';
import { dicomImage } from '../support/dicomWriter.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'groundray-example-'));
const [run, images] = [join(folder, 'run'), join(folder, 'images')];
const phrases = ['left pleural effusion', 'cardiomegaly'];
const [width, height] = [40, 32];

function example(...given: string[]): Promise<{ stdout: string }> {
  const command = ['--import', 'tsx', 'examples/node-localize/localize.ts', ...given];
  return promisify(execFile)(process.execPath, command, { cwd: root });
}

beforeAll(async () => {
  mkdirSync(images);
  const levels = Array.from({ length: width * height }, (_, i) => (i * 31) & 255);
  writeFileSync(
    join(images, 'a.png'),
    encodeGrayPng({ width, height, data: Float32Array.from(levels, (level) => level / 255) }),
  );
  writeFileSync(join(images, 'b.dcm'), dicomImage(width, height, levels, 8));
  writeFileSync(join(images, 'notes.txt'), 'no image');
  const gpu = await createGpu();
  await untrainedRun(gpu, run);
  gpu.dispose();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the example that localizes a folder in Node', () => {
  it('writes an overlay and a line of JSON for every image and phrase, also when it is run again', async () => {
    await example(run, images, ...phrases);
    const { stdout } = await example(run, images, ...phrases);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ file, phrase }) => [file, phrase])).toEqual(
      ['a.png', 'b.dcm'].flatMap((file) => phrases.map((phrase) => [file, phrase])),
    );
    expect(lines[0].notice).toContain('not for diagnosis');
    expect(readdirSync(images).sort()).toEqual(
      [
        'a.png',
        'a.png-0-map.png',
        'a.png-1-map.png',
        'b.dcm',
        'b.dcm-0-map.png',
        'b.dcm-1-map.png',
        'notes.txt',
      ].sort(),
    );
    expect(PNG.sync.read(readFileSync(join(images, 'b.dcm-1-map.png'))).width).toBe(384);
    const gpu = await createGpu();
    const description = openRunFolder(run);
    const { model } = loadTrainedModel(gpu, description);
    const localizer = new ModelLocalizer(gpu, model, description.tokenizer, description.config);
    const [, second] = await localizer.localize(await readImage(join(images, 'b.dcm')), phrases);
    expect(lines[3].similarity).toBeCloseTo(Math.max(...second!.grid.data), 5);
    gpu.dispose();
  });

  it('is no longer than its name says', () => {
    const text = readFileSync(join(root, 'examples/node-localize/localize.ts'), 'utf8');
    expect(text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('/**')).length).toBeLessThanOrEqual(
      22,
    );
  });

  it('says what it expects', async () => {
    await expect(example(run, images)).rejects.toThrow(/Expected RUN \(a folder/);
  });
});
