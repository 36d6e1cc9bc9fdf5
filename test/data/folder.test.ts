import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createBatchSource } from '../../src/data/batches.ts';
import { describeDropped } from '../../src/data/empty-reports.ts';
import { DataError } from '../../src/data/errors.ts';
import { folderDataset } from '../../src/data/folder.node.ts';
import { openDataset } from '../../src/data/open.node.ts';
import { createTokenizer } from '../../src/data/text/tokenizer.ts';
import { buildVocabulary } from '../../src/data/text/vocabulary.ts';
import { encodeGrayPng } from '../../src/io/png.node.ts';

const root = mkdtempSync(join(tmpdir(), 'groundray-folder-'));
const template = join(root, 'template');
let folder = '';
let counter = 0;

beforeAll(() => {
  mkdirSync(join(template, 'masks'), { recursive: true });
  const gray = (value: number) => encodeGrayPng({ width: 8, height: 6, data: new Float32Array(48).fill(value) });
  for (const name of ['a', 'b', 'c', 'd']) writeFileSync(join(template, `${name}.png`), gray(0.5));
  const half = encodeGrayPng({
    width: 8,
    height: 6,
    data: Float32Array.from({ length: 48 }, (_, i) => (i < 24 ? 1 : 0)),
  });
  writeFileSync(join(template, 'masks', 'a__opacity.png'), half);
  writeFileSync(
    join(template, 'manifest.csv'),
    'file,text,patient_id\na.png,"FINDINGS: Left opacity, 1.5 cm. No effusion.",p1\nb.png,Clear lungs.,p2\nc.png,,p3\nd.png,Clear lungs.,p1\n',
  );
  writeFileSync(
    join(template, 'phrases.csv'),
    'image_id,phrase,category,side,mask_file,x,y,width,height\n' +
      'a,left opacity,opacity,left,masks/a__opacity.png,,,,\n' +
      'b,two boxes,nodule,right,,0,0,2,1\nb,two boxes,nodule,right,,6.9,5,9,9\n',
  );
});
beforeEach(() => {
  folder = join(root, `case-${counter++}`);
  cpSync(template, folder, { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('folderDataset', () => {
  it('reads images, reports and phrases, and splits by patient', async () => {
    const dataset = await folderDataset({ path: folder });
    expect(dataset.studies.map(({ id, patientId }) => [id, patientId])).toEqual([
      ['a', 'p1'],
      ['b', 'p2'],
      ['c', 'p3'],
      ['d', 'p1'],
    ]);
    expect(dataset.studies[0]!.split).toBe(dataset.studies[3]!.split);
    const image = await dataset.loadImage('a');
    expect([image.width, image.height]).toEqual([8, 6]);
    expect(image.data[0]).toBeCloseTo(0.5, 2);
    expect(dataset.phrases.map(({ phrase, category, attributes }) => ({ phrase, category, attributes }))).toEqual([
      { phrase: 'left opacity', category: 'opacity', attributes: { side: 'left' } },
      { phrase: 'two boxes', category: 'nodule', attributes: { side: 'right' } },
    ]);
    const mask = await dataset.phrases[0]!.loadMask();
    expect([...mask.data]).toEqual(Array.from({ length: 48 }, (_, i) => (i < 24 ? 1 : 0)));
    const boxes = await dataset.phrases[1]!.loadMask();
    const marked = [...boxes.data.keys()].filter((i) => boxes.data[i] === 1);
    expect(marked).toEqual([0, 1, 5 * 8 + 6, 5 * 8 + 7]);
  });

  it('puts about the asked part of the patients into each split, and others for another seed', async () => {
    const rows = Array.from({ length: 600 }, (_, i) => `a.png,Clear lungs.,p${i},id${i}`);
    writeFileSync(join(folder, 'manifest.csv'), `file,text,patient_id,id\n${rows.join('\n')}\n`);
    rmSync(join(folder, 'phrases.csv'));
    const splits = { train: 0.5, validation: 0.25, test: 0.25 };
    const first = (await folderDataset({ path: folder, splits })).studies.map(({ split }) => split);
    const other = (await folderDataset({ path: folder, splits, seed: 1 })).studies.map(({ split }) => split);
    // Five standard deviations of the binomial distribution.
    expect(Math.abs(first.filter((s) => s === 'train').length - 300)).toBeLessThan(62);
    expect(Math.abs(first.filter((s) => s === 'test').length - 150)).toBeLessThan(53);
    expect(other).not.toEqual(first);
  });

  it('takes the split from its column and refuses a patient in two splits', async () => {
    writeFileSync(
      join(folder, 'manifest.csv'),
      'file,text,patient_id,split\na.png,x y.,p1,Train\nb.png,x y.,p2,val\nc.png,x y.,p3,test\n',
    );
    rmSync(join(folder, 'phrases.csv'));
    expect((await folderDataset({ path: folder })).studies.map(({ split }) => split)).toEqual([
      'train',
      'validation',
      'test',
    ]);
    writeFileSync(
      join(folder, 'manifest.csv'),
      'file,text,patient_id,split\na.png,x y.,p1,train\nb.png,x y.,p1,test\n',
    );
    await expect(folderDataset({ path: folder })).rejects.toThrow(/patient "p1" is in two splits/);
  });

  it('leaves lateral views out and lists them', async () => {
    writeFileSync(join(folder, 'manifest.csv'), 'file,text,patient_id,view\na.png,x y.,p1,LATERAL\nb.png,x y.,p2,PA\n');
    rmSync(join(folder, 'phrases.csv'));
    const dataset = await folderDataset({ path: folder });
    expect(dataset.studies.map(({ id }) => id)).toEqual(['b']);
    expect(describeDropped(dataset.dropped ?? [])).toMatch(/1 study left out: a \(the view is lateral/);
  });

  it('leaves studies without a sentence out, counts and lists them', async () => {
    const dataset = await openDataset({ kind: 'folder', path: folder });
    expect(dataset.studies.map(({ id }) => id)).toEqual(['a', 'b', 'd']);
    expect(describeDropped(dataset.dropped ?? [])).toBe('1 study left out: c (the report has no sentence).');
    writeFileSync(join(folder, 'manifest.csv'), 'file,text,patient_id\na.png,,p1\nb.png, ... ,p2\n');
    rmSync(join(folder, 'phrases.csv'));
    await expect(openDataset({ kind: 'folder', path: folder })).rejects.toThrow(/none of the 2 reports has a sentence/);
  });

  it('marks equal reports in a batch', async () => {
    writeFileSync(
      join(folder, 'manifest.csv'),
      'file,text,patient_id,split\na.png,Clear lungs.,p1,train\nb.png,Small effusion.,p2,train\nc.png,"FINDINGS: CLEAR   lungs",p3,train\n',
    );
    const dataset = await folderDataset({ path: folder });
    const tokenizer = createTokenizer({ vocabulary: buildVocabulary(dataset.studies.map(({ report }) => report)) });
    const options = { split: 'train', batchSize: 3, imageSize: 8, maxTokens: 16, seed: 0, shuffle: false } as const;
    const batch = await createBatchSource(dataset, tokenizer, options).batch(0, 0);
    expect([...batch.reportKeys]).toEqual([0, 1, 0]);
    expect([...batch.images.slice(0, 8)]).toEqual(Array(8).fill(-1));
  });
});

describe('errors of folderDataset', () => {
  const manifest = (text: string) => writeFileSync(join(folder, 'manifest.csv'), text);
  const opening = () => folderDataset({ path: folder });

  it.each([
    [
      'a missing column',
      'file,report,patient_id\na.png,x,p1\n',
      /^manifest\.csv: expected a column "text", found "file", "report", "patient_id"\.$/,
    ],
    ['no patient and no split', 'file,text\na.png,x\n', /expected a column "patient_id" .* or "split", found neither/],
    [
      'a missing file',
      'file,text,patient_id\na.png,x,p1\nz.png,x,p2\n',
      /^manifest\.csv row 3, column "file": expected an image at "z\.png", found no such file/,
    ],
    [
      'an unknown split',
      'file,text,patient_id,split\na.png,x,p1,dev\n',
      /^manifest\.csv row 2, column "split": expected train, validation or test, found "dev"\.$/,
    ],
    [
      'an empty patient',
      'file,text,patient_id\na.png,x,\n',
      /^manifest\.csv row 2, column "patient_id": expected the id of a patient, found ""/,
    ],
    [
      'a repeated id',
      'file,text,patient_id\na.png,x,p1\na.png,y,p2\n',
      /^manifest\.csv row 3: expected a new id, found "a" again \(first in row 2\)/,
    ],
    [
      'a row with too many cells',
      'file,text,patient_id\na.png,x,p1,oops\n',
      /^manifest\.csv: expected comma-separated rows of equal length/,
    ],
    ['no row', 'file,text,patient_id\n', /expected rows below the header, found none/],
    ['an empty file', '', /expected a header and rows, found an empty file/],
  ])('name file, row and column: %s', async (_name, text, message) => {
    manifest(text);
    await expect(opening()).rejects.toThrow(message);
    await expect(opening()).rejects.toBeInstanceOf(DataError);
  });

  it('name a folder or a manifest that is not there', async () => {
    await expect(folderDataset({ path: join(folder, 'nowhere') })).rejects.toThrow(
      /expected a folder with a manifest\.csv, found nothing/,
    );
    rmSync(join(folder, 'manifest.csv'));
    await expect(opening()).rejects.toThrow(/manifest\.csv: expected this file, found none/);
  });

  it.each([
    [
      'an unknown image',
      'image_id,phrase,x,y,width,height\nq,x,0,0,1,1\n',
      /^phrases\.csv row 2, column "image_id": expected an id of manifest\.csv, found "q"/,
    ],
    [
      'a box that is no number',
      'image_id,phrase,x,y,width,height\na,x,0,0,wide,1\n',
      /^phrases\.csv row 2, column "width": expected a number of pixels or nothing, found "wide"/,
    ],
    ['no region', 'image_id,phrase,x\na,x,3\n', /^phrases\.csv row 2: expected a region/],
    ['an empty box', 'image_id,phrase,x,y,width,height\na,x,0,0,0,5\n', /positive width and height, found 0 x 5/],
    [
      'a missing mask',
      'image_id,phrase,mask_file\na,x,masks/q.png\n',
      /^phrases\.csv row 2, column "mask_file": expected a mask at "masks\/q\.png"/,
    ],
    [
      'no phrase',
      'image_id,phrase,mask_file\na, ,masks/a__opacity.png\n',
      /column "phrase": expected the words to look for/,
    ],
  ])('name row and column of phrases.csv: %s', async (_name, text, message) => {
    writeFileSync(join(folder, 'phrases.csv'), text);
    await expect(opening()).rejects.toThrow(message);
  });

  it('name a corrupt image with its row when it is decoded', async () => {
    const png = encodeGrayPng({ width: 8, height: 6, data: new Float32Array(48) });
    writeFileSync(join(folder, 'b.png'), png.subarray(0, png.length - 25));
    writeFileSync(join(folder, 'd.png'), 'no image at all');
    const dataset = await opening();
    for (const [id, row] of [
      ['b', 3],
      ['d', 5],
    ] as const) {
      await expect(dataset.loadImage(id)).rejects.toThrow(
        new RegExp(
          `^${id}\\.png \\(manifest\\.csv row ${row}\\): expected a PNG, JPEG or DICOM image, but it cannot be decoded`,
        ),
      );
      await expect(dataset.loadImage(id)).rejects.toBeInstanceOf(DataError);
    }
  });
});

describe('readImage', () => {
  it('decodes 16 bits, RGB and alpha over black to the same grey', async () => {
    const grey16 = sharp(new Uint16Array([0, 13107, 65535, 32768]), { raw: { width: 2, height: 2, channels: 1 } });
    await grey16.toColourspace('grey16').png().toFile(join(folder, 'a.png'));
    const rgba = new Uint8Array([255, 255, 255, 51, 51, 51, 51, 255, 9, 9, 9, 0, 255, 0, 0, 255]);
    await sharp(rgba, { raw: { width: 2, height: 2, channels: 4 } })
      .png()
      .toFile(join(folder, 'b.png'));
    const rgb = new Uint8Array([255, 255, 255, 0, 255, 0, 0, 0, 255, 128, 128, 128]);
    await sharp(rgb, { raw: { width: 2, height: 2, channels: 3 } })
      .png()
      .toFile(join(folder, 'c.png'));
    const dataset = await folderDataset({ path: folder });
    const values = async (id: string) =>
      [...(await dataset.loadImage(id)).data].map((v) => Math.round(v * 1000) / 1000);
    expect(await values('a')).toEqual([0, 0.2, 1, 0.5]);
    expect(await values('b')).toEqual([0.2, 0.2, 0, 0.299]);
    expect(await values('c')).toEqual([1, 0.587, 0.114, 0.502]);
  });
});

const shared = `${process.env.GROUNDRAY_SHARED ?? '../shared'}/data`;
describe.skipIf(!existsSync(shared))('real folders', () => {
  it('opens the chest radiographs with their phrases', async () => {
    const dataset = await openDataset({ kind: 'folder', path: `${shared}/cxr` });
    expect(dataset.studies.length).toBe(78);
    expect(dataset.dropped?.length).toBe(16);
    expect(dataset.phrases.length).toBe(32);
    for (const phrase of dataset.phrases.slice(0, 4)) {
      const [image, mask] = [await dataset.loadImage(phrase.studyId), await phrase.loadMask()];
      expect([mask.width, mask.height]).toEqual([image.width, image.height]);
      expect(mask.data.includes(1)).toBe(true);
      expect(['good', 'loose']).toContain(phrase.attributes.agreement);
    }
  });

  it('decodes unmodified originals in all their encodings', async () => {
    const text = 'file,text,patient_id\n';
    const { readdirSync, statSync } = await import('node:fs');
    const originals = readdirSync(`${shared}/cxr-originals`).filter(
      (f) => /\.(png|jpe?g)$/i.test(f) && statSync(`${shared}/cxr-originals/${f}`).size < 900_000,
    );
    for (const file of originals) cpSync(`${shared}/cxr-originals/${file}`, join(folder, file));
    writeFileSync(join(folder, 'manifest.csv'), text + originals.map((f, i) => `${f},x y.,p${i}\n`).join(''));
    rmSync(join(folder, 'phrases.csv'));
    const dataset = await folderDataset({ path: folder });
    for (const { id } of dataset.studies) {
      const { data } = await dataset.loadImage(id);
      const mean = data.reduce((a, b) => a + b, 0) / data.length;
      expect(mean, id).toBeGreaterThan(0.1);
      expect(mean, id).toBeLessThan(0.9);
    }
  });
});
