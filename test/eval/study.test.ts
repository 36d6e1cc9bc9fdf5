import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../src/data/random.ts';
import type { GroundedPhrase, Study } from '../../src/data/types.ts';
import { groupMeanDraws, macroDifference } from '../../src/eval/aggregate.ts';
import { resampleImages } from '../../src/eval/bootstrap.ts';
import { RESEARCH_NOTICE } from '../../src/eval/notice.ts';
import { studySvg } from '../../src/eval/study/charts.node.ts';
import { phraseFacts, phraseKey } from '../../src/eval/study/facts.ts';
import { modelRows, strangerAmong } from '../../src/eval/study/measurement.ts';
import { renderStudy } from '../../src/eval/study/report.ts';
import { drawsOfDifference, estimateOverSeeds, spreadOf } from '../../src/eval/study/spread.ts';
import { tabulateStudy } from '../../src/eval/study/tabulate.ts';
import { type HandRow, handRun } from './support/studyRuns.ts';

describe('spread over seeds', () => {
  it('is mean, deviation with n - 1, and range', () => {
    const { mean, deviation, low, high } = spreadOf([1, 2, 6]);
    expect([mean, low, high]).toEqual([3, 1, 6]);
    expect(deviation).toBeCloseTo(Math.sqrt((4 + 1 + 9) / 2), 12);
  });

  it('has no deviation for a single seed, and nothing without one', () => {
    expect(spreadOf([2])).toMatchObject({ mean: 2, deviation: Number.NaN, low: 2, high: 2 });
    expect(spreadOf([])).toMatchObject({ mean: Number.NaN, low: Number.NaN });
    expect(spreadOf([1, Number.NaN, 3])).toMatchObject({ mean: 2, values: [1, Number.NaN, 3] });
  });
});

describe('estimateOverSeeds', () => {
  const constant = (value: number) => ({ value, drawn: new Float64Array(2000).fill(value) });

  it('spans the seeds even where images say all the same', () => {
    const { value, low, high } = estimateOverSeeds([constant(0), constant(0.3), constant(0.6)]);
    expect(value).toBeCloseTo(0.3, 12);
    // The mean of three draws from {0, 0.3, 0.6} is 0 in one of 27 cases, so the 2.5 % quantile is 0.
    expect(low).toBeCloseTo(0, 12);
    expect(high).toBeCloseTo(0.6, 12);
  });

  it('has no width where every seed and every image give the same difference', () => {
    const random = createRandom(3);
    const drawn = Float64Array.from({ length: 500 }, () => random.uniform());
    const better = { value: 0.7, drawn: drawn.map((value) => value + 0.2) };
    const { value, low, high } = estimateOverSeeds([drawsOfDifference(better, { value: 0.5, drawn })]);
    for (const figure of [value, low, high]) expect(figure).toBeCloseTo(0.2, 12);
  });
});

describe('groupMeanDraws', () => {
  it('takes the mean within groups first, as the tables do, and agrees with their differences', () => {
    const rows: HandRow[] = Array.from({ length: 30 }, (_, i) => ({
      studyId: `${i % 20}`,
      phrase: `phrase ${i}`,
      category: i % 3 === 0 ? 'edema' : 'effusion',
      iou: (i % 7) / 10,
    }));
    const [ours, theirs] = [rows, rows.map((row, i) => ({ ...row, iou: row.iou * (i % 2) }))].map((list) =>
      modelRows(handRun('a', 0, list, []).result.presets[0]),
    );
    const resamples = resampleImages(
      rows.map(({ studyId }) => studyId),
      300,
      1,
    );
    const draws = (list: typeof ours) =>
      groupMeanDraws(
        list!.map((row) => ({ studyId: row.studyId, group: row.category, value: row.scores.iou })),
        resamples,
      );
    const expected = macroDifference(ours!, theirs!, 'iou', resamples);
    const found = estimateOverSeeds([drawsOfDifference(draws(ours), draws(theirs))]);
    expect(found.value).toBeCloseTo(expected.value, 12);
    expect(found.low).toBeCloseTo(expected.low, 12);
    expect(found.high).toBeCloseTo(expected.high, 12);
  });
});

describe('phraseFacts', () => {
  const study = (id: string, report: string): Study => ({ id, patientId: id, split: 'test', report });
  const phrase = (studyId: string, text: string, category: string, sentence?: string): GroundedPhrase => ({
    studyId,
    phrase: text,
    category,
    attributes: {},
    loadMask: () => Promise.reject(new Error('not needed')),
    ...(sentence === undefined ? {} : { sentence }),
  });
  const phrases = [
    phrase('1', 'small effusion', 'effusion', 'Small effusion.'),
    phrase('1', 'large left upper lobe opacity', 'opacity', 'Large left upper lobe opacity.'),
    phrase('1', 'opacity in the right lung base', 'opacity', 'Opacity in the right lung base.'),
    phrase('2', 'rounded lesions', 'covid-like', 'Rounded lesions are seen.'),
    phrase('2', 'findings suggesting pneumonia', 'covid-like', 'Rounded lesions are seen.'),
  ];
  const facts = phraseFacts({
    studies: [
      study('1', 'FINDINGS: No edema or pneumothorax. Small effusion. Heart size is normal. Pneumonia is not seen.'),
      study('2', 'Rounded lesions are seen.'),
    ],
    phrases,
  });
  const of = (i: number) => facts.get(phraseKey(phrases[i]!));

  it('reads length, places, findings of the image, twins and negations', () => {
    expect(of(0)).toEqual({ words: 2, located: false, lesions: 3, hasTwin: false, negations: 2 });
    expect(of(1)).toEqual({ words: 5, located: true, lesions: 3, hasTwin: true, negations: 2 });
  });

  it('counts a finding once that two phrases ask for', () => {
    expect(of(3)).toMatchObject({ lesions: 1, hasTwin: false, negations: 0 });
    expect(of(4)).toMatchObject({ lesions: 1, hasTwin: false });
  });
});

describe('a study by hand', () => {
  const trained = ['edema', 'effusion'];
  /** 40 phrases of two classes with a side, and 12 of an unseen class; long ones are worse by `perWord` a word. */
  const rows = (level: number, perWord = 0): HandRow[] => [
    ...Array.from({ length: 40 }, (_, i) => ({
      studyId: `${i % 25}`,
      phrase: i % 2 === 0 ? `edema ${i}` : `large effusion on the left side ${i}`,
      category: i % 4 < 2 ? 'edema' : 'effusion',
      iou: level - perWord * (i % 2 === 0 ? 2 : 7),
      swappedIou: level / 2 - perWord * (i % 2 === 0 ? 2 : 7),
    })),
    ...Array.from({ length: 12 }, (_, i) => ({
      studyId: `${i}`,
      phrase: `nodules ${i}`,
      category: 'nodules',
      iou: 0.2,
      kind: i < 6 ? 'own-words' : 'query',
    })),
  ];
  const runs = [
    handRun('sentence-local', 0, rows(0.6, 0.02), trained),
    handRun('sentence-local', 1, rows(0.8, 0.02), trained),
    handRun('global', 0, rows(0.3), trained),
    handRun('global', 1, rows(0.4), trained),
    handRun('untrained', 0, rows(0.1), trained),
    handRun('untrained', 1, rows(0.1), trained),
  ];
  const facts = new Map(
    modelRows(runs[0]!.result.presets[0]).map((row) => {
      const words = row.phrase.split(' ').length;
      const located = row.phrase.includes('left');
      return [phraseKey(row), { words, located, lesions: 1, hasTwin: false, negations: 0 }];
    }),
  );
  const order = ['sentence-local', 'word-local', 'global', 'untrained'];
  const result = tabulateStudy(runs, order, facts);

  it('has mean and spread of every condition that was measured, in the order asked for', () => {
    expect(result.conditions.map(({ name }) => name)).toEqual(['sentence-local', 'global', 'untrained']);
    const [sentence, global] = result.conditions;
    const [preset] = sentence!.presets;
    // 0.6 and 0.8, less 0.02 for each of 4.5 words on average in either class.
    expect(preset!.seen.iou.mean).toBeCloseTo(0.7 - 0.02 * 4.5, 12);
    expect(preset!.seen.iou.deviation).toBeCloseTo(0.2 / Math.SQRT2, 12);
    expect(preset!.seen.iou.values).toHaveLength(2);
    expect(preset!.unseen?.iou.mean).toBeCloseTo(0.2, 12);
    expect(preset!.unseenByKind.map(({ kind, phrases }) => [kind, phrases])).toEqual([
      ['own-words', 6],
      ['query', 6],
    ]);
    expect(preset!.sideSwap).toMatchObject({ phrases: 40 });
    expect(preset!.sideSwap?.drop.mean).toBeCloseTo(0.35, 12);
    expect(global!.globalLoss).toMatchObject({ mean: 2.5, low: 2, high: 3 });
    expect(result.conditions[2]!.globalLoss).toBeUndefined();
    expect(result.priors[0]).toMatchObject({ classes: 'seen', name: 'constant prior' });
  });

  it('pairs differences by seed and phrase', () => {
    const found = result.differences.filter(({ preset }) => preset === 'paper-minmax');
    expect(found.map(({ minuend, subtrahend }) => `${minuend} ${subtrahend}`)).toEqual([
      'sentence-local global',
      'sentence-local untrained',
      'global untrained',
    ]);
    const iou = found[2]!.measures.find(({ measure }) => measure === 'IoU')!;
    // Constant over phrases, so that only the seeds, 0.2 and 0.3, give it width.
    expect(iou.difference.value).toBeCloseTo(0.25, 12);
    expect(iou.difference.low).toBeCloseTo(0.2, 12);
    expect(iou.difference.high).toBeCloseTo(0.3, 12);
    expect(iou.perSeed.map((value) => value.toFixed(3))).toEqual(['0.200', '0.300']);
    const swap = found[0]!.measures.at(-1)!;
    expect(swap.measure).toMatch(/swapped/);
    expect(swap.difference.value).toBeCloseTo(0.35 - 0.175, 12);
  });

  it('compares only the seeds that both conditions have', () => {
    const partial = tabulateStudy(runs.slice(0, 3), order, facts);
    expect(partial.differences[0]!.seeds).toEqual([0]);
    expect(partial.conditions[1]!.presets[0]!.seen.iou).toMatchObject({ deviation: Number.NaN });
  });

  it('finds what depends on the length of the phrase', () => {
    const words = result.factors.find(({ name }) => name === 'Words in the phrase')!;
    expect(words.groups.map(({ value, phrases }) => [value, phrases])).toEqual([
      ['1 or 2', 20],
      ['7 or more', 20],
    ]);
    const [sentence, global, advantage] = words.trend!;
    for (const part of ['difference', 'atEqualClass'] as const) {
      expect(sentence![part].value).toBeCloseTo(-0.1, 12);
      expect(global![part].value).toBeCloseTo(0, 12);
    }
    expect(advantage).toMatchObject({ condition: 'sentence-local − global' });
    expect(advantage!.difference.value).toBeCloseTo(-0.1, 12);
    expect(result.factors.map(({ name }) => name)).not.toContain('Findings in the image');
  });

  it('knows a run that was measured on other phrases', () => {
    expect(strangerAmong(runs)).toBeUndefined();
    const other = handRun('global', 2, rows(0.3).slice(1), trained);
    expect(strangerAmong([...runs, other])).toBe(other);
  });

  it('writes every table, what is missing, and where it was measured', () => {
    const provenance = { adapter: 'a processor', date: '2026-01-31', command: 'npm run study', missing: 2 };
    const page = renderStudy(result, provenance, 'study.svg');
    expect(page).toContain(`> **${RESEARCH_NOTICE}**`);
    expect(page).toContain('Measured on 2026-01-31 on a processor, with `npm run study`.');
    expect(page).toContain('2 runs are not finished');
    expect(page).toContain('| sentence-local | 0.610 ± 0.141 (0.510 to 0.710) |');
    for (const title of ['## paper-minmax', '## paper-cosine', '### Left and right swapped', '### Words in the phrase'])
      expect(page).toContain(title);
    expect(page).not.toMatch(/NaN|undefined/);
    const tableWidths = page.split('\n').flatMap((line) => (line.startsWith('|') ? line.split(' | ').length : []));
    expect(Math.min(...tableWidths)).toBeGreaterThan(2);
  });

  it('draws a figure that viewers can read', async () => {
    const svg = studySvg(result);
    for (const name of ['sentence-local', 'global', 'untrained', 'constant prior', RESEARCH_NOTICE])
      expect(svg).toContain(name);
    expect(svg).not.toMatch(/NaN|undefined/);
    const { data, info } = await sharp(Buffer.from(svg))
      .flatten({ background: '#fff' })
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([920, 700]);
    const blue = new Set<number>();
    // What belongs to the first condition is blue in each of the four panels: left and right, above and below.
    for (let i = 0; i < data.length; i += 3) {
      if (data[i + 2]! - data[i]! > 80) {
        const [x, y] = [(i / 3) % info.width, Math.floor(i / 3 / info.width)];
        blue.add((x < 460 ? 0 : 1) + (y < 350 ? 0 : 2));
      }
    }
    expect([...blue].sort()).toEqual([0, 1, 2, 3]);
  });
});
