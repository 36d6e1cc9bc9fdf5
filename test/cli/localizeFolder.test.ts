import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESEARCH_NOTICE } from '../../src/eval/notice.ts';
import { createGpu } from '../../src/gpu/create.node.ts';
import { encodeGrayPng } from '../../src/io/png.node.ts';
import { runCommand } from './support/commandLine.ts';
import { trainedRun } from './support/tinyRun.ts';

const folder = mkdtempSync(join(tmpdir(), 'groundray-localize-folder-'));
const run = join(folder, 'run');
const images = join(folder, 'images');
const [width, height] = [48, 36];

function picture(shift: number): Uint8Array {
  const data = Float32Array.from({ length: width * height }, (_, i) => (((i + shift) % width) + (i % 7)) / (width + 7));
  return encodeGrayPng({ width, height, data });
}

/** The table that a command wrote. */
function table(out: string): Record<string, string>[] {
  return parse(readFileSync(join(out, 'findings.csv'), 'utf8'), { columns: true });
}

beforeAll(async () => {
  mkdirSync(join(images, 'masks'), { recursive: true });
  for (const [i, name] of ['a.png', 'b.png', 'c.png'].entries()) writeFileSync(join(images, name), picture(9 * i));
  const marked = Float32Array.from({ length: width * height }, (_, i) => (i % width < 36 ? 1 : 0));
  writeFileSync(join(images, 'masks', 'a.png'), encodeGrayPng({ width, height, data: marked }));
  writeFileSync(join(images, 'small_mask.png'), encodeGrayPng({ width: 4, height: 3, data: new Float32Array(12) }));
  writeFileSync(join(images, 'broken.png'), 'no picture');
  const gpu = await createGpu();
  await trainedRun(gpu, run);
  gpu.dispose();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('groundray localize with many images', () => {
  it('does what a table says, measures boxes and masks, and finds what it finds in one image', async () => {
    const csv = join(images, 'wanted.csv');
    writeFileSync(
      csv,
      'file,phrase,x,y,width,height,mask\n' +
        'a.png,left pleural effusion,0,0,36,36,\n' +
        'a.png,edema,,,,,masks/a.png\n' +
        'b.png,edema,,,,,\n' +
        'b.png,edema of the heart,,,,,small_mask.png\n' +
        'c.png,?!,,,,,\n' +
        'broken.png,edema,,,,,\n' +
        'nowhere.png,edema,,,,,\n',
    );
    const out = join(folder, 'by table');
    const { code, stdout, stderr } = await runCommand(
      ...['localize', '--run', run, '--csv', csv, '--out', out, '--threshold=-0.2'],
    );
    expect(stderr).toBe('Warning: wanted.csv row 8: there is no image nowhere.png\n');
    expect(code).toBe(0);
    expect(stdout).toContain('3 phrases in 4 images; 3 failed, the table says why');
    expect(stdout).toContain(RESEARCH_NOTICE);
    const rows = table(out);
    expect(rows.map(({ file, phrase, error }) => [file, phrase, error])).toEqual([
      ['a.png', 'left pleural effusion', ''],
      ['a.png', 'edema', ''],
      ['b.png', 'edema', ''],
      [
        'b.png',
        'edema of the heart',
        expect.stringMatching(/^small_mask\.png: expected a mask of the image's size, 48 × 36/),
      ],
      ['c.png', '?!', 'The phrase "?!" has no word to look for.'],
      ['broken.png', '', expect.stringMatching(/^broken\.png: expected a PNG, JPEG or DICOM image/)],
    ]);
    const [boxed, masked, bare] = rows;
    for (const row of [boxed!, masked!]) {
      const [iou, dice] = [Number(row.iou), Number(row.dice)];
      expect(iou).toBeGreaterThan(0);
      expect(dice).toBeCloseTo((2 * iou) / (1 + iou), 10);
    }
    expect([bare!.iou, bare!.dice, bare!.pointing]).toEqual(['', '', '']);
    const one = await runCommand(
      ...[
        'localize',
        '--run',
        run,
        '--image',
        join(images, 'a.png'),
        '--phrase',
        'left pleural effusion',
        '--json',
        '--threshold=-0.2',
      ],
    );
    const { threshold, preset, phrases } = JSON.parse(one.stdout);
    expect(Number(boxed!.threshold)).toBe(threshold);
    expect(boxed!.preset).toBe(preset);
    expect(Number(boxed!.similarity_max)).toBe(phrases[0].similarity.max);
    expect(Number(boxed!.x)).toBe(phrases[0].box.x);
    expect(PNG.sync.read(readFileSync(join(out, boxed!.picture!))).width).toBe(512);
  });

  it('looks for the phrases of the command line in every image without a table', async () => {
    const out = join(images, 'found');
    for (const _ of [1, 2]) {
      const { code } = await runCommand(
        'localize',
        '--run',
        run,
        '--images',
        images,
        '--phrase',
        'edema',
        '--out',
        out,
      );
      expect(code).toBe(0);
    }
    // What the first call wrote into the folder is no image of the second.
    const rows = table(out);
    expect(rows.map(({ file }) => file)).toEqual(['a.png', 'b.png', 'broken.png', 'c.png']);
    expect(rows.map(({ iou }) => iou !== '')).toEqual([true, false, false, false]);
  });

  it('says in one sentence what is wrong, and writes nothing', async () => {
    const labels = join(folder, 'labels.csv');
    writeFileSync(labels, 'patientId,x,y,width,height,Target\na,,,,,0\n');
    const empty = join(folder, 'empty');
    mkdirSync(empty, { recursive: true });
    const out = join(folder, 'never');
    const cases: [string[], RegExp][] = [
      [['--images', images], /^Expected --phrase with what to look for, or --csv with a table/],
      [['--images', join(folder, 'x'), '--phrase', 'a'], /^--images .*x: expected a folder, found nothing\.$/],
      [['--images', empty, '--phrase', 'a'], /empty: expected PNG, JPEG or DICOM images, found none\.$/],
      [['--images', images, '--csv', labels], /labels\.csv says where something is, but not what: expected --phrase/],
      [['--images', images, '--phrase', 'a', '--json'], /^--json prints one image;/],
      [['--images', images, '--image', 'a.png', '--phrase', 'a'], /^--image is one image/],
      [['--images', images, '--csv', join(folder, 'no.csv')], /no\.csv cannot be read/],
      [['--phrase', 'a'], /^Expected --image with a file, or --images with a folder; found neither\.$/],
      [['--image', join(images, 'a.png')], /^Expected --phrase with what to look for, found none\.$/],
    ];
    for (const [args, sentence] of cases) {
      const { code, stderr } = await runCommand('localize', '--run', run, '--out', out, ...args);
      expect(stderr.trimEnd()).toMatch(sentence);
      expect(code).toBe(1);
    }
    expect(existsSync(out)).toBe(false);
  });
});
