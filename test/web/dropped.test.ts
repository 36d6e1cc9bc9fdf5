import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { type DroppedFile, sortDropped } from '../../web/src/dropped.ts';
import { droppedFiles } from '../../web/src/folder.ts';
import { ZipWriter } from '../../web/src/zip.ts';

const dropped = (...paths: string[]): DroppedFile[] =>
  paths.map((path) => ({ path, file: new File([], path.replace(/.*\//, '')) }));
const paths = (files: readonly DroppedFile[]): string[] => files.map(({ path }) => path);

describe('sortDropped', () => {
  const sort = (names: readonly string[], hasImage = true) => sortDropped(dropped(...names), hasImage);

  it.each([
    ['model.safetensors', 'config.json', 'vocab.txt'],
    // What is missing is said when it is opened.
    ['config.json'],
    ['vocab.txt'],
    ['model.safetensors', 'metrics.csv'],
  ])('takes %s for a model', (...names) => {
    expect(sort(names).kind).toBe('model');
  });

  it('takes the folder of a run for a model, without the folders in it', () => {
    const run = [
      'run/model.safetensors',
      'run/config.json',
      'run/vocab.txt',
      'run/loss.png',
      'run/evaluation/report.json',
    ];
    const found = sort(run);
    expect(found.kind === 'model' && paths(found.files)).toEqual(run.slice(0, 4));
  });

  it.each([['chest.png'], ['IM0001'], ['chest.DCM'], ['notes.pdf']])('opens %s as an image', (name) => {
    const found = sort([name]);
    expect(found.kind === 'image' && [found.image.path, found.truth]).toEqual([name, []]);
  });

  it('takes a mask or annotations for the truth of the open image', () => {
    for (const names of [['chest_mask.png'], ['boxes.csv'], ['coco.json'], ['mask.png', 'boxes.csv']]) {
      const found = sort(names);
      expect(found.kind === 'truth' && paths(found.files)).toEqual(names);
    }
    // Without an image there is nothing that it could be the mask of.
    expect(sort(['chest_mask.png'], false).kind).toBe('image');
  });

  it('opens an image with the truth that came with it', () => {
    const found = sort(['chest.png', 'chest_mask.png', 'boxes.csv']);
    expect(found.kind === 'image' && [found.image.path, paths(found.truth)]).toEqual([
      'chest.png',
      ['chest_mask.png', 'boxes.csv'],
    ]);
  });

  it('takes several images or a folder for many images', () => {
    expect(sort(['a.png', 'b.png', 'phrases.csv'])).toMatchObject({
      kind: 'many',
      files: { images: ['a.png', 'b.png'], tables: ['phrases.csv'] },
    });
    expect(sort(['d/a.png', 'd/notes.txt', 'd/masks/a.png'])).toMatchObject({
      kind: 'many',
      files: { images: ['d/a.png'], masks: ['d/masks/a.png'], others: ['d/notes.txt'] },
    });
  });

  it('says in a sentence what it cannot tell', () => {
    const cases: [string[], RegExp][] = [
      [['d/a.pdf', 'd/b.doc'], /^d: expected PNG, JPEG or DICOM images .* found none among 2 files\.$/],
      [['model.safetensors', 'chest.png'], /^Expected a model or images, found both\. Drop one after the other\.$/],
      [['a/model.safetensors', 'b/model.safetensors'], /^Expected one model, found weights in 2 folders: a\/, b\/\.$/],
      [['chest.png', 'notes.pdf'], /^notes\.pdf: expected images, masks, annotations/],
    ];
    for (const [names, sentence] of cases) expect(() => sort(names)).toThrow(sentence);
    expect(() => sort(['a_mask.png', 'boxes.csv'], false)).toThrow(/^Expected an image, found none\./);
  });
});

describe('droppedFiles', () => {
  it('walks through folders, also those that are read in parts', async () => {
    const file = (fullPath: string) => ({
      ...{ isFile: true, isDirectory: false, fullPath },
      file: (done: (file: File) => void) => done(new File([], fullPath.replace(/.*\//, ''))),
    });
    const folder = (fullPath: string, parts: readonly (readonly object[])[]) => ({
      ...{ isFile: false, isDirectory: true, fullPath },
      createReader: () => {
        const rest = [...parts];
        return { readEntries: (done: (entries: readonly object[]) => void) => done(rest.shift() ?? []) };
      },
    });
    const tree = folder('/d', [[file('/d/a.png')], [folder('/d/masks', [[file('/d/masks/a.png')]]), file('/d/t.csv')]]);
    const items = [
      { webkitGetAsEntry: () => tree, getAsFile: () => null },
      { webkitGetAsEntry: () => null, getAsFile: () => new File([], 'alone.png') },
    ];
    const found = await droppedFiles({ items } as unknown as DataTransfer);
    expect(paths(found)).toEqual(['d/a.png', 'd/masks/a.png', 'd/t.csv', 'alone.png']);
  });
});

describe('ZipWriter', () => {
  it('makes a zip of what was added, piece by piece', async () => {
    const zip = new ZipWriter();
    const png = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) % 251);
    zip.add('maps/a.png', png);
    zip.add('findings.csv', new TextEncoder().encode('file,phrase\n'.repeat(50)));
    const files = unzipSync(new Uint8Array(await zip.end().arrayBuffer()));
    expect(Object.keys(files)).toEqual(['maps/a.png', 'findings.csv']);
    expect([...files['maps/a.png']!]).toEqual([...png]);
    expect(new TextDecoder().decode(files['findings.csv'])).toBe('file,phrase\n'.repeat(50));
  });
});
