import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { stringify } from 'csv-stringify/sync';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildIndex, droppedFile } from '../../../src/data/corpora/buildIndex.node.ts';
import type { CorpusItem, CorpusLocation, CorpusRecord } from '../../../src/data/corpora/corpus.ts';
import { type CorpusSpec, corpusDataset } from '../../../src/data/corpora/dataset.node.ts';
import { corpusNamed, corpusNames } from '../../../src/data/corpora/registry.node.ts';
import { DataError } from '../../../src/data/errors.ts';
import { openDataset } from '../../../src/data/open.node.ts';
import { encodeRle } from '../../../src/data/rle.ts';
import { parseDataFlag } from '../../../src/data/spec.node.ts';
import { splitSentences } from '../../../src/data/text/sentences.ts';
import type { Dataset } from '../../../src/data/types.ts';
import * as mini from '../../support/miniCorpora.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'groundray-corpora-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function readAll(name: string, location: Partial<CorpusLocation> = {}) {
  const items: CorpusItem[] = [];
  for await (const item of corpusNamed(name).read({ root: folder, ...location })) items.push(item);
  const records = items.flatMap((item) => ('record' in item ? [item.record] : []));
  const dropped = items.flatMap((item) => ('dropped' in item ? [item.dropped] : []));
  const notes = items.flatMap((item) => ('note' in item ? [item.note] : []));
  const byId = new Map(records.map((record): [string, CorpusRecord] => [record.id, record]));
  return { records, dropped, notes, get: (id: string) => byId.get(id)! };
}

const open = (name: string, more: Partial<CorpusSpec> = {}): Promise<Dataset> =>
  corpusDataset({ name, root: folder, ...more });
const area = async (dataset: Dataset, phrase: number): Promise<number[]> => {
  const { data } = await dataset.phrases[phrase]!.loadMask();
  return [...data.keys()].filter((i) => data[i] === 1);
};

describe('mimic-cxr-jpg', () => {
  const expected = {
    a1: {
      findings: 'There is a 1.9 x 2.1 cm opacity in the left base.  Seen by Dr. ___ at ___ a.m.\nThe heart is normal.',
      impression: 'Left basilar opacity.',
    },
    a3: {
      findings: 'Low lung volumes. No effusion.',
      impression: '1. No pneumothorax. \n2. Mild pulmonary edema, unchanged.',
    },
    b1: { lastParagraph: 'The lungs are clear.  There is no effusion.' },
    b2: {},
    c1: { findings: 'Right pleural effusion with ___ catheter.', impression: 'Right effusion.' },
  };

  it.each([
    ['gzip tables', {}],
    ['plain tables', { compressed: false }],
    ['CRLF everywhere and a byte order mark', { compressed: false, lineEnd: '\r\n', mark: true }],
  ] as const)('joins tables, reports and labels: %s', async (_name, options) => {
    mini.writeMimic(folder, options);
    const { records, dropped, get } = await readAll('mimic-cxr-jpg');
    expect(dropped).toEqual([]);
    expect(records.map(({ id }) => id)).toEqual(['a3', 'b2', 'b1', 'c1', 'c2', 'a1', 'a2']);
    expect(records.map(({ split }) => split)).toEqual([
      'train',
      'validation',
      'validation',
      'test',
      'test',
      'train',
      'train',
    ]);
    expect(records.map(({ view }) => view)).toEqual([
      'frontal',
      'frontal',
      'frontal',
      'frontal',
      'unknown',
      'frontal',
      'lateral',
    ]);
    for (const [id, sections] of Object.entries(expected)) expect(get(id).sections, id).toEqual(sections);
    expect(get('a1')).toMatchObject({
      patientId: '10000011',
      studyId: '50000005',
      labels: { 'lung opacity': 1, 'no finding': 0 },
    });
    expect(get('a3').labels).toEqual({ edema: -1 });
    expect(get('a1').image).toBe('files/p10/p10000011/s50000005/a1.jpg');
  });

  it('applies the filters of the paper and counts what they drop', async () => {
    mini.writeMimic(folder);
    const dataset = await open('mimic-cxr-jpg');
    expect(dataset.studies.map(({ id, split }) => `${id} ${split}`)).toEqual([
      'a3 train',
      'b1 validation',
      'c1 test',
      'a1 train',
    ]);
    expect(Object.fromEntries((dataset.dropped ?? []).map(({ studyId, reason }) => [studyId, reason]))).toEqual({
      a2: 'the view is lateral',
      b2: 'the report has no sentence',
      c2: 'the view is unknown',
    });
    const ofA3 = dataset.studies[0]!.report;
    expect(splitSentences(ofA3.replace('FINDINGS: ', '').replace('IMPRESSION: ', ''))).toEqual([
      'Low lung volumes.',
      'No effusion.',
      'No pneumothorax.',
      'Mild pulmonary edema, unchanged.',
    ]);
    const image = await dataset.loadImage('a1');
    expect([image.width, image.height]).toEqual([8, 6]);
    expect((await open('mimic-cxr-jpg', { views: 'unknown' })).studies.length).toBe(5);
    expect((await open('mimic-cxr-jpg', { views: 'all', minWords: 6 })).studies.map(({ id }) => id)).toEqual([
      'a3',
      'b1',
      'c1',
      'c2',
      'a1',
      'a2',
    ]);
    const one = await open('mimic-cxr-jpg', { sections: 'one' });
    expect(one.studies.find(({ id }) => id === 'a1')?.report).toBe('Left basilar opacity.');
  });

  it('reads the same from a zip and from a CSV of sections', async () => {
    mini.writeMimic(folder);
    const tree = await readAll('mimic-cxr-jpg');
    const zip = mini.zipOf(
      mini.mimicImages.map(({ patient, study }) => [
        `files/p${patient.slice(0, 2)}/p${patient}/s${study}.txt`,
        mini.mimicReports[study]!,
      ]),
    );
    mini.write(folder, 'mimic-cxr-reports.zip', zip);
    expect((await readAll('mimic-cxr-jpg')).records).toEqual(tree.records);
    rmSync(join(folder, 'mimic-cxr-reports.zip'));
    const rows = mini.mimicImages.map(({ dicom, study }) => {
      const { findings = '', impression = '', lastParagraph = '', comparison = '' } = tree.get(dicom).sections ?? {};
      return [`s${study}`, impression, findings, lastParagraph, comparison];
    });
    const columns = ['study', 'impression', 'findings', 'last_paragraph', 'comparison'];
    mini.write(folder, 'mimic_cxr_sectioned.csv', stringify(rows, { header: true, columns }));
    expect((await readAll('mimic-cxr-jpg')).records).toEqual(tree.records);
  });

  it.each([
    [
      'PNG copies',
      ({ patient, study, dicom }: mini.MimicImage) =>
        `files/p${patient.slice(0, 2)}/p${patient}/s${study}/${dicom}.png`,
    ],
    ['copies without files/', (image: mini.MimicImage) => mini.treePath(image).replace('files/', '')],
  ])('finds resized mirrors: %s', async (_name, imagePath) => {
    mini.writeMimic(folder, { imagePath });
    const { records } = await readAll('mimic-cxr-jpg');
    expect(records.map(({ image }) => image).sort()).toEqual(mini.mimicImages.map(imagePath).sort());
  });

  it('reads the DICOM variant from the list of its files', async () => {
    mini.writeMimic(folder, { imagePath: (image) => mini.treePath(image).replace('.jpg', '.dcm') });
    for (const kind of ['metadata', 'chexpert']) rmSync(join(folder, `mimic-cxr-2.0.0-${kind}.csv.gz`));
    const rows = mini.mimicImages.map(
      (image) => `${image.patient},${image.study},${image.dicom},${mini.treePath(image).replace('.jpg', '.dcm')}`,
    );
    mini.write(folder, 'cxr-record-list.csv', `subject_id,study_id,dicom_id,path\n${rows.join('\n')}\n`);
    const { records } = await readAll('mimic-cxr');
    expect(records.length).toBe(7);
    expect(new Set(records.map(({ view }) => view))).toEqual(new Set(['unknown']));
    expect(records.every(({ image }) => image.endsWith('.dcm'))).toBe(true);
    await expect(open('mimic-cxr')).rejects.toThrow(/found none of 7 \(7: the view is unknown\)/);
  });

  it('drops images without a report or a split and says so', async () => {
    mini.writeMimic(folder, { compressed: false });
    rmSync(join(folder, 'files/p11/p11000022/s50000003.txt'));
    const path = join(folder, 'mimic-cxr-2.0.0-split.csv');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^a3.*\n/m, ''));
    const { dropped } = await readAll('mimic-cxr-jpg');
    expect(dropped).toEqual([
      { id: 'a3', reason: 'the table of splits does not have it' },
      { id: 'b1', reason: 'there is no report' },
    ]);
  });

  it('looks for every image when it is told to', async () => {
    mini.writeMimic(folder);
    rmSync(join(folder, mini.treePath(mini.mimicImages[2]!)));
    expect((await readAll('mimic-cxr-jpg')).records.length).toBe(7);
    const { records, dropped } = await readAll('mimic-cxr-jpg', { checkImages: true });
    expect(records.length).toBe(6);
    expect(dropped).toEqual([{ id: 'a3', reason: 'there is no image' }]);
  });

  it('says where the reports belong when a tree has images only', async () => {
    mini.writeMimic(folder);
    for (const { patient, study } of mini.mimicImages) {
      rmSync(join(folder, `files/p${patient.slice(0, 2)}/p${patient}/s${study}.txt`), { force: true });
    }
    await expect(readAll('mimic-cxr-jpg')).rejects.toThrow(/expected reports as .*not of MIMIC-CXR-JPG.*--reports/);
  });

  it('names what is missing or wrong', async () => {
    await expect(readAll('mimic-cxr-jpg')).rejects.toThrow(
      /expected a table of images, mimic-cxr-2\.0\.0-metadata\.csv/,
    );
    mini.writeMimic(folder, { compressed: false });
    rmSync(join(folder, 'files'), { recursive: true });
    await expect(readAll('mimic-cxr-jpg')).rejects.toThrow(/expected reports as mimic-cxr-reports\.zip/);
    mini.writeMimic(folder, { compressed: false, imagePath: () => 'elsewhere.jpg' });
    await expect(readAll('mimic-cxr-jpg')).rejects.toThrow(/expected images such as .*--images/);
    mini.writeMimic(folder, { compressed: false });
    const path = join(folder, 'mimic-cxr-2.0.0-split.csv');
    writeFileSync(path, readFileSync(path, 'utf8').replace('validate', 'dev'));
    await expect(readAll('mimic-cxr-jpg')).rejects.toThrow(
      /^mimic-cxr-2\.0\.0-split\.csv row \d, column "split": expected train, validate or test, found "dev"\.$/,
    );
  });
});

describe('iu-xray', () => {
  it('reads Open-i XML, with the views of the Kaggle table where it is there', async () => {
    mini.writeIuXray(folder);
    const blind = await readAll('iu-xray');
    expect(blind.records.map(({ view }) => view)).toEqual(['unknown', 'unknown', 'unknown']);
    expect(blind.notes.join(' ')).toMatch(/view of 3 images is unknown.*--views unknown/);
    expect(blind.dropped).toEqual([{ id: 'CXR3', reason: 'the report names no image' }]);
    mini.write(folder, 'indiana_projections.csv', mini.iuProjections);
    const { records, get } = await readAll('iu-xray');
    expect(records.map(({ view }) => view)).toEqual(['lateral', 'frontal', 'frontal']);
    expect(get('CXR1_1_IM-0001-4001')).toMatchObject({
      image: 'NLMCXR_png/CXR1_1_IM-0001-4001.png',
      sections: { findings: 'Heart size < 50%. No effusion.', impression: '1. Clear lungs. 2. XXXX opacity.' },
      labels: { 'opacity/lung/base/left/mild': 1 },
    });
    expect(new Set(records.slice(0, 2).map(({ split }) => split)).size).toBe(1);
  });

  it('reads the two CSVs of the Kaggle copy', async () => {
    mini.write(folder, 'indiana_projections.csv', mini.iuProjections);
    const reports = 'uid,MeSH,Problems,image,indication,comparison,findings,impression\n';
    mini.write(
      folder,
      'indiana_reports.csv',
      `${reports}1,normal,normal,x,y,None.,"No ""free"" air.",Normal chest today.\n2,a;b,,,,,,Clear.\n`,
    );
    for (const name of ['1_IM-0001-4001', '1_IM-0001-3001'])
      mini.write(folder, `images/images_normalized/${name}.dcm.png`, mini.png());
    const { records, dropped } = await readAll('iu-xray');
    expect(records.map(({ id, view, image }) => [id, view, image])).toEqual([
      ['1_IM-0001-4001.dcm', 'frontal', 'images/images_normalized/1_IM-0001-4001.dcm.png'],
      ['1_IM-0001-3001.dcm', 'lateral', 'images/images_normalized/1_IM-0001-3001.dcm.png'],
    ]);
    expect(records[0]!.sections).toEqual({
      findings: 'No "free" air.',
      impression: 'Normal chest today.',
      comparison: 'None.',
    });
    expect(dropped).toEqual([{ id: '2_IM-0652-1001.dcm', reason: 'there is no image' }]);
  });
});

describe('rsna', () => {
  it('unites boxes of the 1024 frame on an image of any size, and keeps empty images apart', async () => {
    mini.writeRsna(folder);
    const { records, dropped, notes } = await readAll('rsna');
    expect(records.map(({ id, labels }) => [id, labels?.pneumonia])).toEqual([
      ['r1', 1],
      ['r2', 0],
    ]);
    expect(dropped).toEqual([{ id: 'r3', reason: 'there is no image' }]);
    expect(notes).toEqual(['rsna: 4 rows, 3 images, 2 with boxes; stage 2 as published has 30,227, 26,684 and 6,012.']);
    const dataset = await open('rsna');
    expect(dataset.phrases.map(({ phrase, split }) => [phrase, split])).toEqual([
      ['Findings suggesting pneumonia.', 'test'],
    ]);
    const want = Array.from({ length: 256 }, (_, i) => i).filter((i) => {
      const [x, y] = [i % 16, Math.floor(i / 16)];
      return (x >= 8 && x < 12 && y < 8) || (x < 8 && y >= 8);
    });
    expect(await area(dataset, 0)).toEqual(want);
    expect(dataset.dropped?.map(({ reason }) => reason)).toContain('no region is marked (empty ground truth)');
  });

  it('reads its table as gzip, and refuses one that is cut off', async () => {
    mini.writeRsna(folder);
    const plain = await readAll('rsna');
    const table = gzipSync(readFileSync(join(folder, 'stage_2_train_labels.csv')));
    rmSync(join(folder, 'stage_2_train_labels.csv'));
    mini.write(folder, 'stage_2_train_labels.csv.gz', table);
    expect((await readAll('rsna')).records).toEqual(plain.records);
    mini.write(folder, 'stage_2_train_labels.csv.gz', table.subarray(0, -9));
    await expect(readAll('rsna')).rejects.toThrow(/stage_2_train_labels\.csv\.gz cannot be read/);
    await expect(readAll('rsna')).rejects.toBeInstanceOf(DataError);
  });

  it('takes the images of a split file alone', async () => {
    mini.writeRsna(folder);
    mini.write(folder, 'split.csv', 'ID,boxes\nr1.dcm,\n');
    const { records, dropped } = await readAll('rsna', { splitFile: join(folder, 'split.csv') });
    expect(records.map(({ id }) => id)).toEqual(['r1']);
    expect(dropped.map(({ reason }) => reason)).toEqual(Array(2).fill('the split file does not have it'));
  });
});

describe('covid-rural', () => {
  it('takes opacities and not lungs from LabelMe, and masks where there is no outline', async () => {
    mini.writeCovidRural(folder);
    const { records, dropped } = await readAll('covid-rural');
    expect(records.map(({ patientId }) => patientId)).toEqual([1, 2, 3].map((n) => `COVID-19-AR-1640648${n}`));
    expect(dropped.map(({ reason }) => reason)).toEqual(['there is neither an outline nor a mask']);
    const dataset = await open('covid-rural');
    expect(dataset.phrases.map(({ phrase }) => phrase)).toEqual(Array(2).fill('Findings suggesting COVID-19.'));
    expect(await area(dataset, 0)).toEqual([10, 11, 12, 13, 18, 19, 20, 21, 26, 27, 28, 29]);
    expect(await area(dataset, 1)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

describe('ms-cxr', () => {
  it('unites boxes of one phrase, scales them to the image, and reads the split of v1.1', async () => {
    const images = join(folder, 'mimic');
    mini.writeMimic(images);
    mini.write(folder, 'MS_CXR_Local_Alignment_v1.1.0.csv', mini.msCxrCsv());
    await expect(readAll('ms-cxr')).rejects.toThrow(/expected the images of MIMIC-CXR.*--images/);
    const dataset = await open('ms-cxr', { images });
    expect(dataset.phrases.map(({ phrase, category, split }) => [phrase, category, split])).toEqual([
      ['Left basilar opacity, patchy', 'pneumonia', 'test'],
      ['Mild edema', 'edema', 'test'],
      ['Right effusion', 'pleural effusion', 'validation'],
    ]);
    expect((await area(dataset, 0)).length).toBe(48);
    expect(await area(dataset, 1)).toEqual([9, 10, 17, 18]);
    expect(await area(dataset, 2)).toEqual([38, 39, 46, 47]);
  });

  it('reads v1.0 as COCO JSON to the same regions', async () => {
    mini.writeMimic(folder);
    mini.write(folder, 'MS_CXR_Local_Alignment_v1.0.0.json', JSON.stringify(mini.msCxrJson()));
    const { records } = await readAll('ms-cxr');
    expect(records.length).toBe(1);
    expect(records[0]).toMatchObject({ id: 'a1', patientId: '10000011', studyId: '50000005', split: 'test' });
    const dataset = await open('ms-cxr');
    expect((await area(dataset, 0)).length).toBe(24 + 2);
    expect(await area(dataset, 1)).toEqual([9, 10, 17, 18]);
  });
});

describe('chexlocalize', () => {
  const id = 'patient64541_study1_view1_frontal';
  const mask = { width: 4, height: 3, data: Uint8Array.from([0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1]) };

  it('reads compressed run lengths and leaves empty masks out', async () => {
    const empty = encodeRle({ ...mask, data: new Uint8Array(12) });
    const tasks = { Edema: { size: [3, 4], counts: encodeRle(mask) }, 'Lung Lesion': { size: [3, 4], counts: empty } };
    mini.write(folder, 'CheXlocalize/gt_segmentations_val.json', JSON.stringify({ [id]: tasks }));
    mini.write(folder, 'CheXpert/val/patient64541/study1/view1_frontal.jpg', mini.png(4, 3));
    const dataset = await open('chexlocalize');
    expect(dataset.phrases.map(({ phrase, category, split }) => [phrase, category, split])).toEqual([
      ['Findings suggesting edema.', 'edema', 'validation'],
    ]);
    expect((await dataset.phrases[0]!.loadMask()).data).toEqual(mask.data);
  });

  it('reads polygons where there are no masks', async () => {
    const outline = [
      [0, 0],
      [4, 0],
      [4, 4],
      [0, 4],
    ];
    mini.write(
      folder,
      'gt_annotations_test.json',
      JSON.stringify({ [id]: { img_size: [6, 8], 'Support Devices': [outline] } }),
    );
    mini.write(folder, 'test/patient64541/study1/view1_frontal.jpg', mini.png(4, 3));
    const dataset = await open('chexlocalize');
    expect(dataset.phrases[0]!.phrase).toBe('Support devices.');
    expect(await area(dataset, 0)).toEqual([0, 1, 4, 5]);
  });
});

describe('an index', () => {
  it('is read back to the same data set, with counts and the list of what was left out', async () => {
    mini.writeMimic(folder);
    const out = join(folder, 'out/index.jsonl');
    const summary = await buildIndex('mimic-cxr-jpg', { root: folder }, out);
    expect(summary).toMatchObject({
      found: 7,
      kept: 4,
      splits: { train: 2, validation: 1, test: 1 },
      views: { frontal: 5, lateral: 1, unknown: 1 },
      dropped: { 'the view is lateral': 1, 'the report has no sentence': 1, 'the view is unknown': 1 },
    });
    expect(readFileSync(droppedFile(out), 'utf8')).toBe(
      'id,reason\nb2,the report has no sentence\nc2,the view is unknown\na2,the view is lateral\n',
    );
    const [indexed, direct] = [await openDataset({ kind: 'index', path: out }), await open('mimic-cxr-jpg')];
    expect(indexed.studies).toEqual(direct.studies);
    expect((await indexed.loadImage('a1')).data).toEqual((await direct.loadImage('a1')).data);
  });

  it('keeps the older one when the corpus is damaged, and leaves nothing behind', async () => {
    mini.writeMimic(folder, { compressed: false });
    const out = join(folder, 'out/index.jsonl');
    mini.write(folder, 'out/index.jsonl', 'older');
    const path = join(folder, 'mimic-cxr-2.0.0-metadata.csv');
    writeFileSync(path, `${readFileSync(path, 'utf8')}d1,not a number,1,PA,6\n`);
    const failing = buildIndex('mimic-cxr-jpg', { root: folder }, out);
    await expect(failing).rejects.toThrow(
      /metadata\.csv row 9, column "subject_id": expected a number, found "not a number"/,
    );
    await expect(failing).rejects.toBeInstanceOf(DataError);
    expect(readFileSync(out, 'utf8')).toBe('older');
    const { readdirSync } = await import('node:fs');
    expect(readdirSync(join(folder, 'out'))).toEqual(['index.jsonl']);
  });

  it('has the regions of evaluation corpora', async () => {
    mini.writeCovidRural(folder);
    const out = join(folder, 'index.jsonl');
    await buildIndex('covid-rural', { root: folder }, out);
    const indexed = await openDataset({ kind: 'index', path: out });
    expect(await area(indexed, 0)).toEqual([10, 11, 12, 13, 18, 19, 20, 21, 26, 27, 28, 29]);
    expect(await area(indexed, 1)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('that was cut off or changed is refused with its line', async () => {
    mini.writeMimic(folder);
    const out = join(folder, 'index.jsonl');
    await buildIndex('mimic-cxr-jpg', { root: folder }, out);
    const lines = readFileSync(out, 'utf8').trim().split('\n');
    const opening = (text: readonly string[]) => {
      writeFileSync(out, `${text.join('\n')}\n`);
      return openDataset({ kind: 'index', path: out });
    };
    await expect(opening(lines.slice(0, 4))).rejects.toThrow(/the file was cut off/);
    await expect(opening(lines.toSpliced(2, 1))).rejects.toThrow(/expected 4 images, found 3/);
    await expect(opening(lines.toSpliced(2, 1, '{"id":1}'))).rejects.toThrow(/index\.jsonl line 3, field "id"/);
    await expect(opening(['{}'])).rejects.toThrow(/line 1, field "format"/);
  });
});

describe('--data', () => {
  it('takes a folder, an index, and a corpus with its further places', () => {
    expect(parseDataFlag('some/folder')).toEqual({ kind: 'folder', path: 'some/folder' });
    expect(parseDataFlag('C:\\data')).toEqual({ kind: 'folder', path: 'C:\\data' });
    expect(parseDataFlag('a/index.jsonl')).toEqual({ kind: 'index', path: 'a/index.jsonl' });
    expect(parseDataFlag('rsna:/data/rsna')).toEqual({ kind: 'corpus', name: 'rsna', root: '/data/rsna' });
    expect(parseDataFlag('ms-cxr:/a,b,images=/c=d,split-file=s.csv')).toEqual({
      kind: 'corpus',
      name: 'ms-cxr',
      root: '/a,b',
      images: '/c=d',
      splitFile: 's.csv',
    });
  });

  it('lists the corpora for a name that is none of them', () => {
    expect(() => parseDataFlag('mimik:/data')).toThrow(
      /there is no corpus "mimik"; the corpora are mimic-cxr-jpg, mimic-cxr,/,
    );
    expect(() => parseDataFlag('rsna:')).toThrow(/expected the folder of the corpus behind "rsna:"/);
    expect(corpusNames).toContain('chexlocalize');
  });

  it('opens a corpus again from the plain data of its name', async () => {
    mini.writeMimic(folder);
    renameSync(join(folder, 'files'), join(folder, 'other'));
    const spec = parseDataFlag(`mimic-cxr-jpg:${folder},images=${folder}/other,reports=${folder}/other`);
    const dataset = await openDataset(structuredClone(spec));
    expect(dataset.studies.length).toBe(4);
    expect((await dataset.loadImage('a1')).width).toBe(8);
  });
});
