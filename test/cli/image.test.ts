import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { folderDataset } from '../../src/data/folder.node.ts';
import { readImage, readMask } from '../../src/io/image.node.ts';
import { encodeGrayPng } from '../../src/io/png.node.ts';
import { dicomImage } from '../support/dicomWriter.ts';
import { runCommand } from './support/commandLine.ts';

let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'image-'));
  file = join(folder, 'x.dcm');
  const attributes = {
    '00280004': ['CS', 'MONOCHROME1'],
    '00281050': ['DS', '50.5\\100.5'],
    '00281051': ['DS', '101\\201'],
    '00100010': ['PN', 'DOE^JANE'],
    '00185101': ['CS', 'PA'],
  } as const;
  writeFileSync(file, dicomImage(4, 1, [0, 25, 75, 255], 8, attributes));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('groundray image', () => {
  it('says what a DICOM file is, and writes what a model sees', async () => {
    const out = join(folder, 'x.png');
    const { code, stdout, stderr } = await runCommand('image', file, '--out', out);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/transfer syntax +1\.2\.840\.10008\.1\.2\.1 \(Explicit VR Little Endian\)/);
    expect(stdout).toMatch(/photometric +MONOCHROME1\n/);
    expect(stdout).toMatch(/windows +50\.5,101 LINEAR; 100\.5,201 LINEAR\n/);
    expect(stdout).toMatch(/shown +window 50\.5,101 LINEAR\n/);
    expect(stdout).toMatch(/Research use only, not for diagnosis/);
    expect(stdout).not.toMatch(/DOE/);
    expect([...(await readImage(out)).data].map((value) => Math.round(value * 255))).toEqual([255, 191, 64, 0]);
  });

  it('shows another window of the file, the caller, or everything', async () => {
    const shown = async (window: string): Promise<string> => {
      const { stdout } = await runCommand('image', file, '--json', '--window', window);
      return (JSON.parse(stdout) as { shown: string }).shown;
    };
    expect(await shown('2')).toBe('window 100.5,201 LINEAR');
    expect(await shown('10,20')).toBe('window 10,20 LINEAR');
    expect(await shown('full')).toBe('full range');
  });

  it.each([
    [['--window', '3'], /the file has 2 windows/],
    [['--window', 'a,b'], /expected centre,width, the number of a window, or full/],
    [['--window', '10,0'], /a width of 1 or more; found 10, 0/],
    [['--out', 'x.jpg'], /expected a name that ends in \.png/],
  ])('refuses %s and writes nothing', async (flags, sentence) => {
    const { code, stdout, stderr } = await runCommand('image', file, ...flags);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(sentence);
    expect(existsSync('x.jpg')).toBe(false);
  });

  it('describes pictures, which have no window', async () => {
    const png = join(folder, 'grey.png');
    writeFileSync(png, encodeGrayPng({ width: 2, height: 1, data: [0, 1] }));
    expect((await runCommand('image', png)).stdout).toMatch(
      /format +PNG\n +size +2 x 1 pixels\n +bits +8\n +colour +grey/,
    );
    expect((await runCommand('image', png, '--window', 'full')).stderr).toMatch(/only DICOM files have windows/);
  });
});

describe('DICOM files in a folder data set', () => {
  it('are read as images, and refused as masks', async () => {
    writeFileSync(join(folder, 'manifest.csv'), 'file,text,patient_id\nx.dcm,No effusion.,p1\n');
    const dataset = await folderDataset({ path: folder });
    const { data } = await dataset.loadImage('x');
    expect([...data].map((value) => Math.round(value * 100) / 100)).toEqual([1, 0.75, 0.25, 0]);
    await expect(readMask(file, 'mask')).rejects.toThrow('mask: expected a mask as PNG or JPEG, found a DICOM file.');
    expect(readFileSync(file).length).toBeGreaterThan(132);
  });
});
