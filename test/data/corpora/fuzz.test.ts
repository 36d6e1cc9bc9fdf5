/**
 * Damaged files of every kind that a corpus has. A reader may read them or refuse them with a DataError; it must not
 * crash, hang or take memory that the file does not have. More cases: GROUNDRAY_FUZZ=20 (times as many).
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placesOf } from '../../../src/data/annotations/annotation.ts';
import { maskOfPlaces } from '../../../src/data/annotations/mask.ts';
import { requireAnnotations } from '../../../src/data/annotations/read.ts';
import { buildIndex } from '../../../src/data/corpora/buildIndex.node.ts';
import { applyFilters } from '../../../src/data/corpora/filters.ts';
import { parseOpenI } from '../../../src/data/corpora/openi-xml.ts';
import { corpusNamed } from '../../../src/data/corpora/registry.node.ts';
import { DataError } from '../../../src/data/errors.ts';
import { folderDataset } from '../../../src/data/folder.node.ts';
import { openDataset } from '../../../src/data/open.node.ts';
import { createRandom } from '../../../src/data/random.ts';
import { regionToMask } from '../../../src/data/region.ts';
import { decodeRle, encodeRle } from '../../../src/data/rle.ts';
import { encodeReport, normalizeReport } from '../../../src/data/text/encode.ts';
import { parseSections, reportParts, selectReportText } from '../../../src/data/text/sections.ts';
import { splitSentences } from '../../../src/data/text/sentences.ts';
import { createTokenizer } from '../../../src/data/text/tokenizer.ts';
import { buildVocabulary } from '../../../src/data/text/vocabulary.ts';
import * as mini from '../../support/miniCorpora.ts';
import { mutateText } from '../../support/mutateText.ts';

const times = Number(process.env.GROUNDRAY_FUZZ ?? 1);
const longest = 2_000;
const largest = 600 * 2 ** 20;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'groundray-fuzz-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a reader on damaged copies. At least some must be read and some refused, else the damage teaches nothing. */
async function fuzz(
  name: string,
  originals: readonly Uint8Array[],
  count: number,
  read: (bytes: Buffer) => unknown,
  { reads = true, refuses = true } = {},
): Promise<void> {
  const counts = { read: 0, refused: 0 };
  const before = process.memoryUsage().rss;
  const root = createRandom(`fuzz ${name}`);
  for (let i = 0; i < count * times; i++) {
    const random = root.fork(i);
    const bytes = mutateText(random.pick(originals), random);
    const begin = performance.now();
    try {
      await read(bytes);
      counts.read++;
    } catch (error) {
      const shown = `${name}, case ${i}: ${JSON.stringify(bytes.subarray(0, 300).toString('latin1'))}`;
      if (!(error instanceof DataError)) throw new Error(`${shown}: ${error instanceof Error ? error.stack : error}`);
      expect(error.message.length, shown).toBeLessThan(2_000);
      counts.refused++;
    }
    expect(performance.now() - begin, `${name}, case ${i}, milliseconds`).toBeLessThan(longest);
  }
  expect(process.memoryUsage().rss - before, `${name}, bytes`).toBeLessThan(largest);
  if (reads) expect(counts.read, `${name}: read`).toBeGreaterThan(0);
  if (refuses) expect(counts.refused, `${name}: refused`).toBeGreaterThan(0);
}

/** Reads a whole corpus, its filters and its regions. */
async function readCorpus(name: string, options: { reports?: string } = {}): Promise<void> {
  for await (const item of corpusNamed(name).read({ root: folder, ...options })) {
    if (!('record' in item)) continue;
    applyFilters(item.record);
    for (const { region } of item.record.phrases ?? []) {
      if (region.kind !== 'file') regionToMask(region, { width: 32, height: 24 });
    }
  }
}

async function fuzzFile(corpus: string, path: string, count: number, read = () => readCorpus(corpus)): Promise<void> {
  // Whatever is changed in compressed data, its checksum does not fit.
  const reads = !path.endsWith('.gz');

  const original = readFileSync(join(folder, path));
  await fuzz(
    `${corpus} ${path}`,
    [original],
    count,
    (bytes) => {
      mini.write(folder, path, bytes);
      return read();
    },
    { reads },
  );
  mini.write(folder, path, original);
}

describe('damaged tables', () => {
  it('of MIMIC-CXR-JPG, plain and gzip, and its reports as zip and CSV', async () => {
    mini.writeMimic(folder, { compressed: false });
    for (const kind of ['metadata', 'split', 'chexpert'])
      await fuzzFile('mimic-cxr-jpg', `mimic-cxr-2.0.0-${kind}.csv`, 100);
    const entries = Object.entries(mini.mimicReports).map(
      ([study, text]) => [`files/p10/p1/s${study}.txt`, text] as const,
    );
    mini.write(folder, 'mimic-cxr-reports.zip', mini.zipOf(entries));
    await fuzzFile('mimic-cxr-jpg', 'mimic-cxr-reports.zip', 150);
    rmSync(join(folder, 'mimic-cxr-reports.zip'));
    mini.write(
      folder,
      'mimic_cxr_sectioned.csv',
      'study,impression,findings,last_paragraph,comparison\ns50000005,"a, b","c ""d""",,\n',
    );
    await fuzzFile('mimic-cxr-jpg', 'mimic_cxr_sectioned.csv', 100);
    mini.writeMimic(folder);
    rmSync(join(folder, 'mimic-cxr-2.0.0-metadata.csv'));
    rmSync(join(folder, 'mimic-cxr-2.0.0-split.csv'));
    await fuzzFile('mimic-cxr-jpg', 'mimic-cxr-2.0.0-metadata.csv.gz', 100);
  });

  it('of RSNA, MS-CXR and IU X-ray', async () => {
    mini.writeRsna(folder);
    await fuzzFile('rsna', 'stage_2_train_labels.csv', 250);
    mini.writeMimic(folder);
    mini.write(folder, 'MS_CXR_Local_Alignment_v1.1.0.csv', mini.msCxrCsv());
    await fuzzFile('ms-cxr', 'MS_CXR_Local_Alignment_v1.1.0.csv', 250);
    mini.write(folder, 'indiana_projections.csv', mini.iuProjections);
    mini.write(folder, 'indiana_reports.csv', 'uid,MeSH,findings,impression\n1,normal,"No ""free"" air.",Normal.\n');
    mini.write(folder, 'images/1_IM-0001-4001.dcm.png', mini.png());
    await fuzzFile('iu-xray', 'indiana_projections.csv', 150);
    await fuzzFile('iu-xray', 'indiana_reports.csv', 150);
  });

  it("of a folder of one's own", async () => {
    for (const name of ['a', 'b']) mini.write(folder, `${name}.png`, mini.png());
    mini.write(
      folder,
      'manifest.csv',
      'file,text,patient_id,split\na.png,"Clear, normal.",p1,train\nb.png,Edema.,p2,test\n',
    );
    mini.write(folder, 'phrases.csv', 'image_id,phrase,x,y,width,height\na,opacity,0,0,3,3\nb,edema,1,1,2,2\n');
    const read = async (): Promise<void> => {
      const { phrases } = await folderDataset({ path: folder });
      for (const { loadMask } of phrases) await loadMask();
    };
    await fuzzFile('folder', 'manifest.csv', 200, read);
    await fuzzFile('folder', 'phrases.csv', 200, read);
  });
});

describe('damaged JSON', () => {
  it('of MS-CXR, CheXlocalize and LabelMe', async () => {
    mini.writeMimic(folder);
    mini.write(folder, 'MS_CXR_Local_Alignment_v1.0.0.json', JSON.stringify(mini.msCxrJson()));
    await fuzzFile('ms-cxr', 'MS_CXR_Local_Alignment_v1.0.0.json', 300);
    const id = 'patient64541_study1_view1_frontal';
    const data = Uint8Array.from({ length: 1200 }, (_, i) => ((i * i) % 7 < 3 ? 1 : 0));
    const mask = { size: [30, 40], counts: encodeRle({ width: 40, height: 30, data }) };
    mini.write(folder, 'val/patient64541/study1/view1_frontal.jpg', mini.png());
    mini.write(folder, 'gt_segmentations_val.json', JSON.stringify({ [id]: { Edema: mask, Atelectasis: mask } }));
    await fuzzFile('chexlocalize', 'gt_segmentations_val.json', 300);
    rmSync(join(folder, 'gt_segmentations_val.json'));
    const outline = [
      [1, 1],
      [20, 2],
      [10, 20.5],
    ];
    mini.write(folder, 'gt_annotations_val.json', JSON.stringify({ [id]: { img_size: [30, 40], Edema: [outline] } }));
    await fuzzFile('chexlocalize', 'gt_annotations_val.json', 300);
    mini.writeCovidRural(folder);
    const jsons = 'covid_rural_annot/jpgs/jsons';
    await fuzzFile('covid-rural', `${jsons}/${readdirSync(join(folder, jsons)).sort()[0]}`, 300);
  });

  it('lines of an index', async () => {
    mini.writeCovidRural(folder);
    await buildIndex('covid-rural', { root: folder }, join(folder, 'index.jsonl'));
    await fuzzFile('index', 'index.jsonl', 300, async () => {
      const { phrases } = await openDataset({ kind: 'index', path: join(folder, 'index.jsonl') });
      for (const { loadMask } of phrases) await loadMask();
    });
  });
});

describe('damaged annotations', () => {
  const region = { width: 40, height: 30 };
  const runs = encodeRle({ ...region, data: Uint8Array.from({ length: 1200 }, (_, i) => (i % 40 < 9 ? 1 : 0)) });
  const files: readonly (readonly [string, string])[] = [
    ['a.csv', 'file,phrase,x,y,width,height,mask\na.png,edema,1,2,3,4,\nb.png,,,,,,b_mask.png\n'],
    ['b.csv', 'patientId,x,y,width,height,Target\nr1,512,0,256,512,1\nr2,,,,,0\n'],
    ['c.csv', mini.msCxrCsv()],
    ['d.csv', 'Image Index,Finding Label,Bbox [x,y,w,h],,,\n00013118_008.png,Atelectasis,225.1,547,86.7,79.2\n'],
    ['e.json', JSON.stringify(mini.msCxrJson())],
    [
      'f.json',
      mini.labelMe([
        {
          label: 'opacity',
          points: [
            [0, 0],
            [9, 0],
            [9, 9],
          ],
        },
      ]),
    ],
    [
      'g.json',
      JSON.stringify([
        {
          file_name: '1.png',
          syms: ['Mass'],
          boxes: [],
          polygons: [
            [
              [0, 0],
              [9, 0],
              [9, 9],
            ],
          ],
        },
      ]),
    ],
    ['h.json', JSON.stringify({ p_s_v: { Edema: { size: [30, 40], counts: runs } } })],
  ];

  it.each(files)('in %s are read or refused', async (name, text) => {
    await fuzz(`annotations ${name}`, [Buffer.from(text)], 300, async (bytes) => {
      const places = placesOf(requireAnnotations(bytes.toString('utf8'), name), 'edema');
      const drawn = places.filter(({ region }) => region.kind !== 'file');
      if (drawn.length > 0) await maskOfPlaces(drawn, region, () => Promise.reject(new Error('no file is read')));
    });
  });
});

const indiana = `${process.env.GROUNDRAY_SHARED ?? '../shared'}/data/reports/indiana-xml`;
const realXml = existsSync(indiana)
  ? readdirSync(indiana)
      .slice(0, 60)
      .map((file) => readFileSync(join(indiana, file)))
  : [];

describe('damaged XML', () => {
  it('of Open-i, generated and (where they are at hand) real', async () => {
    const full = { FINDINGS: 'Heart size &lt; 50%. No effusion.', IMPRESSION: '1. Clear lungs. 2. XXXX opacity.' };
    const generated = Buffer.from(mini.openIXml(1, full, ['CXR1_1_IM-0001-3001', 'CXR1_1_IM-0001-4001']));
    await fuzz('xml', [generated, ...realXml], 600, (bytes) => parseOpenI(bytes.toString('utf8'), 'report.xml'));
  });

  it('that expands entities within entities is refused or stays small', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join('');
    const bomb = mini
      .openIXml(1, { FINDINGS: '&e12;' }, [])
      .replace('<eCitation>', `<!DOCTYPE x [<!ENTITY e0 "boom">${levels}]><eCitation>`);
    let length = 0;
    try {
      length = parseOpenI(bomb, 'bomb.xml').sections.findings.length;
    } catch (error) {
      expect(error).toBeInstanceOf(DataError);
    }
    expect(length).toBeLessThan(10_000);
  });
});

describe('damaged report texts', () => {
  const tokenizer = createTokenizer({ vocabulary: buildVocabulary(Object.values(mini.mimicReports)) });
  const readText = (text: string): void => {
    parseSections(text);
    reportParts(text);
    splitSentences(selectReportText(text));
    splitSentences(text, 'gloria');
    normalizeReport(text);
    expect(encodeReport(text, tokenizer, { maxTokens: 64 }).ids.length).toBeLessThanOrEqual(64);
  };

  it('are read, whatever they are', async () => {
    const texts = Object.values(mini.mimicReports).map((text) => Buffer.from(text));
    await fuzz('report', texts, 1500, (bytes) => readText(bytes.toString('utf8')), { refuses: false });
  });

  it.each([
    ['spaces', ' '.repeat(200_000)],
    ['blank lines', '\n \n'.repeat(60_000)],
    ['underscores', '_'.repeat(200_000)],
    ['capitals', 'A'.repeat(200_000)],
    ['capital words', 'AB '.repeat(60_000)],
    ['headings', 'FINDINGS: x\n'.repeat(15_000)],
    ['words without an end', 'Aaaa bbbb '.repeat(20_000)],
    ['full stops', '.'.repeat(200_000)],
    ['enumerations', '1. '.repeat(60_000)],
    ['numbers', '1'.repeat(200_000)],
    ['brackets', '("'.repeat(100_000)],
    ['one word', 'a'.repeat(200_000)],
    ['tabs before a heading', `${'\t'.repeat(200_000)}IMPRESSION: x`],
    ['addenda', 'ADDENDUM ADDENDUM\n'.repeat(10_000)],
  ])('of 200,000 characters take a bounded time: %s', (_name, text) => {
    const begin = performance.now();
    readText(text);
    expect(performance.now() - begin).toBeLessThan(4 * longest);
  });
});

describe('damaged run lengths', () => {
  it('fill their frame exactly or are refused', async () => {
    const random = createRandom(2);
    const data = Uint8Array.from({ length: 900 }, () => (random.chance(0.3) ? 1 : 0));
    const original = Buffer.from(encodeRle({ width: 30, height: 30, data }));
    await fuzz(
      'rle',
      [original],
      1500,
      (bytes) => {
        expect(decodeRle(bytes.toString('latin1'), { width: 30, height: 30 }).data.length).toBe(900);
      },
      { reads: false },
    );
  });
});
