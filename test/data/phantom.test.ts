import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cos, sin, smoothstep, valueNoise } from '../../src/data/elementary.ts';
import { canonicalToImage, imageToCanonical } from '../../src/data/phantom/anatomy.ts';
import { phantomDataset } from '../../src/data/phantom/dataset.ts';
import { datasetDigest } from '../../src/data/phantom/digest.ts';
import { TRAINED_CATEGORIES, UNSEEN_CATEGORY } from '../../src/data/phantom/lesions.ts';
import { renderImage, renderMask } from '../../src/data/phantom/render.ts';
import { phantomStudy, shareOnPatientLeft } from '../../src/data/phantom/study.ts';
import { phantomVocabulary } from '../../src/data/phantom/vocabulary.ts';
import { encodeReport } from '../../src/data/text/encode.ts';
import { parseSections, selectReportText } from '../../src/data/text/sections.ts';
import { splitSentences } from '../../src/data/text/sentences.ts';
import { createTokenizer } from '../../src/data/text/tokenizer.ts';

const SEED = 21;
const train = Array.from({ length: 160 }, (_, i) => phantomStudy(SEED, 'train', i));
const test = Array.from({ length: 160 }, (_, i) => phantomStudy(SEED, 'test', i));
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('elementary functions', () => {
  it('are sine, cosine, a smooth step and noise within their bounds', () => {
    for (let x = -20; x < 20; x += 0.37) {
      expect(sin(x)).toBeCloseTo(Math.sin(x), 9);
      expect(cos(x)).toBeCloseTo(Math.cos(x), 9);
      const noise = valueNoise(5, x, -2 * x);
      expect(noise >= 0 && noise < 1).toBe(true);
    }
    expect([smoothstep(1, 3, 0), smoothstep(1, 3, 2), smoothstep(1, 3, 4)]).toEqual([0, 0.5, 1]);
    expect(smoothstep(3, 1, 0)).toBe(1);
  });
});

describe('phantom corpus', () => {
  it('is the same for the same seed, another for another seed', async () => {
    const digest = (seed: number) => datasetDigest(phantomDataset({ seed, count: 12, size: 48 }), 4);
    expect(await digest(1)).toBe(await digest(1));
    expect(await digest(1)).not.toBe(await digest(2));
  });

  it('is drawn with exactly rounded operations only, so that every engine draws the same pixels', () => {
    const folder = new URL('../../src/data/phantom/', import.meta.url);
    const files = readdirSync(folder).filter((file) => !file.endsWith('.node.ts'));
    const sources = [
      ...files.map((file) => new URL(file, folder)),
      new URL('../elementary.ts', folder),
      new URL('../random.ts', folder),
    ];
    expect(sources.length).toBeGreaterThan(8);
    const exact = new Set(['abs', 'ceil', 'floor', 'imul', 'max', 'min', 'round', 'sqrt']);
    for (const url of sources) {
      const source = readFileSync(url, 'utf8');
      for (const [, name] of source.replace(/\/\*[\s\S]*?\*\//g, '').matchAll(/Math\.(\w+)/g)) {
        expect(exact.has(name!), `${url.pathname} uses Math.${name}`).toBe(true);
      }
      expect(source.replace(/\/\*[\s\S]*?\*\//g, ''), url.pathname).not.toMatch(/\w \*\* |Date\b|localeCompare/);
    }
  });

  it('gives a larger corpus that contains the smaller one, with disjoint splits of the asked sizes', () => {
    const splits = { train: 14, validation: 3, test: 3 };
    const small = phantomDataset({ seed: 4, count: 20, splits });
    const large = phantomDataset({ seed: 4, count: 40, splits });
    const reports = new Map(large.studies.map(({ id, report }) => [id, report]));
    for (const study of small.studies) expect(reports.get(study.id)).toBe(study.report);
    expect(new Set(large.studies.map(({ patientId }) => patientId)).size).toBe(40);
    expect(Object.entries(splits).map(([split]) => large.studies.filter((s) => s.split === split).length)).toEqual([
      28, 6, 6,
    ]);
  });

  it('refuses counts, sizes and splits that cannot be used', () => {
    expect(() => phantomDataset({ count: 0 })).toThrow(/1 or more; found 0/);
    expect(() => phantomDataset({ count: 9, size: 8 })).toThrow(/32 pixels or more; found 8/);
    expect(() => phantomDataset({ count: 2 })).toThrow(/train would be empty/);
  });

  it('offers the unseen class under its own words and as pneumonia', async () => {
    const dataset = phantomDataset({ seed: SEED, count: 200, splits: { train: 0, validation: 0, test: 1 } });
    const unseen = dataset.phrases.filter(({ category }) => category === UNSEEN_CATEGORY);
    const kinds = unseen.map(({ attributes }) => attributes.phraseKind);
    expect(kinds.filter((kind) => kind === 'own-words').length).toBe(unseen.length / 2);
    expect(
      unseen.filter(({ attributes }) => attributes.phraseKind === 'pneumonia-query').map(({ phrase }) => phrase),
    ).toEqual(Array(unseen.length / 2).fill('findings suggesting pneumonia'));
    expect(await unseen[0]!.loadMask()).toEqual(await unseen[1]!.loadMask());
  });
});

describe('phantom images', () => {
  it('have values in [0, 1] at every size and a pose that varies within its bounds', () => {
    for (const size of [32, 65]) {
      const { data } = renderImage(train[0]!.scene, size);
      expect(data.length).toBe(size * size);
      expect(data.every((v) => v >= 0 && v <= 1)).toBe(true);
    }
    const poses = train.map(({ scene }) => scene.pose);
    const spread = (values: number[]) => Math.max(...values) - Math.min(...values);
    expect(spread(poses.map((p) => p.shiftX))).toBeGreaterThan(0.14);
    expect(spread(poses.map((p) => p.scale))).toBeGreaterThan(0.2);
    expect(spread(poses.map((p) => p.sin))).toBeGreaterThan(0.2);
    expect(Math.max(...poses.map((p) => Math.abs(p.sin)))).toBeLessThanOrEqual(Math.sin((7 * Math.PI) / 180) + 1e-9);
  });

  it('map canonical points to the image and back', () => {
    const [u, v] = canonicalToImage(train[3]!.scene.pose, 0.2, 0.7);
    const [x, y] = imageToCanonical(train[3]!.scene.pose, u, v);
    expect(x).toBeCloseTo(0.2, 12);
    expect(y).toBeCloseTo(0.7, 12);
  });

  it('change where the mask is and in the right direction: air darker, everything else brighter', () => {
    const changes = new Map<string, { inside: number[]; outside: number[] }>();
    for (const study of test.slice(0, 110)) {
      for (const { lesion } of study.lesions) {
        const without = { ...study.scene, lesions: study.scene.lesions.filter((other) => other !== lesion) };
        const [image, healthy] = [renderImage(study.scene, 48), renderImage(without, 48)];
        const mask = renderMask(study.scene, lesion, 48);
        const entry = changes.get(lesion.category) ?? { inside: [], outside: [] };
        changes.set(lesion.category, entry);
        const part = (value: 0 | 1) =>
          mean(
            [...image.data.keys()].filter((i) => mask.data[i] === value).map((i) => image.data[i]! - healthy.data[i]!),
          );
        entry.inside.push(part(1));
        entry.outside.push(Math.abs(part(0)));
      }
    }
    expect([...changes.keys()].sort()).toEqual([...TRAINED_CATEGORIES, UNSEEN_CATEGORY].sort());
    for (const [category, { inside, outside }] of changes) {
      const change = category === 'pneumothorax' ? -mean(inside) : mean(inside);
      expect(change, category).toBeGreaterThan(0.04);
      expect(change, category).toBeGreaterThan(8 * mean(outside));
    }
  });
});

describe('phantom masks', () => {
  const areas = new Map<string, number[]>();
  for (const study of [...train, ...test]) {
    for (const { lesion } of study.lesions) {
      const mask = renderMask(study.scene, lesion, 64);
      const pixels = mask.data.reduce((a, b) => a + b, 0);
      areas.set(lesion.category, [...(areas.get(lesion.category) ?? []), pixels / 4096]);
    }
  }

  // Percent of the image.
  it.each([
    ['pneumonia', 3.1],
    ['consolidation', 2.2],
    ['lung opacity', 2.3],
    ['atelectasis', 1.0],
    ['pleural effusion', 4.4],
    ['pneumothorax', 3.6],
    ['edema', 9.5],
    ['cardiomegaly', 7.9],
    ['covid-like', 3.1],
  ])('of %s cover about %s %% of the image', (category, percent) => {
    const values = areas.get(category) ?? [];
    expect(values.length).toBeGreaterThan(10);
    expect((100 * mean(values)) / percent).toBeGreaterThan(0.75);
    expect((100 * mean(values)) / percent).toBeLessThan(1.25);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(6 / 4096);
  });

  it('are larger for larger size words', () => {
    const bySize = { small: [] as number[], medium: [] as number[], large: [] as number[] };
    for (const study of [...train, ...test]) {
      for (const { lesion } of study.lesions) {
        if (lesion.category !== 'pneumonia' && lesion.category !== 'lung opacity') continue;
        bySize[lesion.size].push(renderMask(study.scene, lesion, 64).data.reduce((a, b) => a + b, 0));
      }
    }
    expect(mean(bySize.medium)).toBeGreaterThan(1.2 * mean(bySize.small));
    expect(mean(bySize.large)).toBeGreaterThan(1.2 * mean(bySize.medium));
  });

  it("lie on the side that the words name, as the patient's left and right", () => {
    let sided = 0;
    for (const study of [...train, ...test]) {
      for (const { lesion, wording } of study.lesions) {
        const share = shareOnPatientLeft(study.scene.pose, renderMask(study.scene, lesion, 64));
        const words: string[] = wording.phrase.match(/\b(left|right)\b/g) ?? [];
        if (lesion.side === 'left' || lesion.side === 'right') {
          expect(share, `${study.id}: ${wording.phrase}`).toBe(lesion.side === 'left' ? 1 : 0);
          expect(words.every((word) => word === lesion.side)).toBe(true);
          if (words.length > 0) sided++;
          else expect(wording.kind).not.toBe('located');
        } else {
          expect(words).toEqual([]);
          if (lesion.side === 'both') expect(share > 0.05 && share < 0.95, `${study.id}: ${share}`).toBe(true);
        }
      }
    }
    expect(sided).toBeGreaterThan(100);
  });

  it("lie where the image shows the patient's left: on its right half", () => {
    const study = [...train, ...test].find(({ lesions }) => lesions.some(({ lesion }) => lesion.side === 'left'))!;
    const { lesion } = study.lesions.find((item) => item.lesion.side === 'left')!;
    const mask = renderMask(study.scene, lesion, 64);
    const columns = [...mask.data.keys()].filter((i) => mask.data[i] === 1).map((i) => i % 64);
    expect(mean(columns)).toBeGreaterThan(32);
  });
});

describe('phantom reports', () => {
  it('have each finding in a sentence of its own that contains the phrase', () => {
    for (const study of [...train, ...test]) {
      const sentences = splitSentences(selectReportText(study.report));
      for (const { wording } of study.lesions) {
        expect(sentences, study.report).toContain(wording.sentence);
        expect(wording.sentence.toLowerCase()).toContain(wording.phrase);
      }
    }
  });

  it('go through the section parser without losing a sentence', () => {
    let decimals = 0;
    let enumerations = 0;
    let doubleNegations = 0;
    for (const { report } of train) {
      const names = parseSections(report).map(({ name }) => name);
      expect(names[0]).toBe('findings');
      expect(names.slice(1).every((name) => name === 'impression')).toBe(true);
      const letters = (text: string) => text.replace(/FINDINGS:|IMPRESSION:|[^A-Za-z_]/g, '');
      expect(letters(splitSentences(selectReportText(report)).join(' '))).toBe(letters(report));
      if (/\d\.\d/.test(report)) decimals++;
      if (/1\. .*2\. /.test(report)) enumerations++;
      if (/There is no [^.]* and no /.test(report)) doubleNegations++;
    }
    expect(
      [decimals, enumerations, doubleNegations].every((n) => n >= 3),
      `${decimals} ${enumerations} ${doubleNegations}`,
    ).toBe(true);
  });

  it('deny one to three classes, none of which is in the image', () => {
    for (const study of [...train, ...test]) {
      expect(study.denied.length).toBeGreaterThanOrEqual(1);
      expect(study.denied.length).toBeLessThanOrEqual(3);
      for (const { lesion } of study.lesions) expect(study.denied).not.toContain(lesion.category);
    }
  });

  it('have 0 to 3 findings in the stated proportions and about 30 % of phrases without a place', () => {
    const counts = [0, 0, 0, 0];
    for (const { lesions } of train) counts[lesions.length]!++;
    [0.1, 0.4, 0.35, 0.15].forEach((p, n) => {
      // Four standard deviations of the binomial distribution.
      expect(Math.abs(counts[n]! / 160 - p), `${n} findings`).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / 160));
    });
    const kinds = train.flatMap(({ lesions }) => lesions.map(({ wording }) => wording.kind));
    expect(kinds.filter((kind) => kind === 'unlocated').length / kinds.length).toBeGreaterThan(0.18);
    expect(kinds.filter((kind) => kind === 'unlocated').length / kinds.length).toBeLessThan(0.4);
  });

  it('never show or name the unseen class in training', () => {
    for (const study of train) {
      expect(study.lesions.some(({ lesion }) => lesion.category === UNSEEN_CATEGORY)).toBe(false);
      expect(study.report).not.toMatch(/covid|ground glass|rounded|multifocal/i);
    }
    expect(test.some(({ lesions }) => lesions.some(({ lesion }) => lesion.category === UNSEEN_CATEGORY))).toBe(true);
    expect(phantomVocabulary().some((piece) => /covid|ground|glass/.test(piece))).toBe(false);
  });

  it('are known to the phantom vocabulary, with long words in several pieces', () => {
    const tokenizer = createTokenizer({ vocabulary: phantomVocabulary() });
    expect(tokenizer.tokenize('left pneumothorax')).toEqual(['left', 'pneum', '##othor', '##ax']);
    for (const { report } of [...train, ...test]) {
      const { ids, droppedSentences } = encodeReport(report, tokenizer, { maxTokens: 160 });
      expect(ids).not.toContain(tokenizer.unknownId);
      expect(droppedSentences).toEqual([]);
    }
  });
});
