import { describe, expect, it } from 'vitest';
import type { Dataset, GrayImage, GroundedPhrase, Split, Study } from '../../src/data/types.ts';
import { countMatched, evaluateMatching, type MatchingOptions } from '../../src/eval/evaluateMatching.ts';
import type { Localizer } from '../../src/eval/localizer.ts';
import type { Matcher } from '../../src/eval/matcher.ts';

interface Row {
  readonly split: Split;
  readonly finding: string;
}

/** An image is its number; its report and its only phrase name the finding. */
function corpus(rows: readonly Row[]): Dataset {
  return {
    name: 'findings',
    phrasesAreComplete: true,
    studies: rows.map(
      ({ split, finding }, i): Study => ({
        id: `s${i}`,
        patientId: `p${i}`,
        split,
        report: finding === '' ? 'Normal chest.' : `There is ${finding}. Image ${i}.`,
      }),
    ),
    phrases: rows.flatMap(({ finding }, i): GroundedPhrase[] =>
      finding === ''
        ? []
        : [
            {
              studyId: `s${i}`,
              phrase: `left ${finding}`,
              category: finding,
              attributes: {},
              loadMask: () => Promise.reject(new Error('not needed')),
            },
          ],
    ),
    loadImage: async (id): Promise<GrayImage> => ({ width: 1, height: 1, data: Float32Array.of(Number(id.slice(1))) }),
  };
}

const rows: Row[] = [
  { split: 'validation', finding: 'edema' },
  { split: 'validation', finding: 'nodule' },
  { split: 'test', finding: 'edema' },
  { split: 'test', finding: 'nodule' },
  { split: 'test', finding: 'edema' },
  { split: 'test', finding: '' },
];
const dataset = corpus(rows);

/** How well a perfect reader finds that a text fits image `i`. */
function fits(i: number, text: string): number {
  const finding = rows[i]?.finding ?? '';
  if (text.includes(`Image ${i}.`)) return 1;
  if (finding === '') return text === 'Normal chest.' ? 1 : -0.5;
  if (!text.includes(finding)) return -0.5;
  return text.includes('no ') || text.startsWith('right') ? -0.4 : 0.8;
}

function model(similarity: (i: number, text: string) => number): { matcher: Matcher; localizer: Localizer } {
  return {
    matcher: {
      match: async (image, texts) =>
        texts.map((text) => ({ global: similarity(image.data[0]!, text), local: Number.NaN })),
    },
    localizer: {
      gridSize: { width: 1, height: 1 },
      localize: async (image, texts) =>
        texts.map((text) => ({
          grid: { width: 1, height: 1, data: Float32Array.of(similarity(image.data[0]!, text)) },
        })),
    },
  };
}

const options = (similarity: (i: number, text: string) => number): MatchingOptions => ({
  ...model(similarity),
  ...{ dataset, sigma: 0, resamples: 50, step: 9 },
  labelled: ['s2', 's3', 's4', 's5'],
  validation: ['s0', 's1'],
  reported: ['s2', 's3', 's4', 's5'],
});

describe('evaluateMatching', () => {
  it('finds everything right for a reader who is', async () => {
    const stages: string[] = [];
    const result = await evaluateMatching({ ...options(fits), onProgress: (stage) => stages.push(stage) });
    expect(stages).toEqual(['validation', 'validation', 'test', 'test', 'test', 'test']);
    expect(countMatched(options(fits))).toBe(stages.length);
    for (const { macro, classes } of result.zeroShot) {
      expect([macro.auroc.value, macro.averagePrecision.value, macro.accuracy.value, macro.f1.value]).toEqual([
        1, 1, 1, 1,
      ]);
      expect(classes.edema!.positives).toBe(2);
    }
    const [global, ...others] = result.retrieval;
    expect(others).toEqual([]); // Without local features there is one similarity.
    expect(global!.imageToReport.recall[0]!.estimate.value).toBe(1);
    expect(global!.reportToImage.medianRank.value).toBe(1);
    expect(result.presence).toMatchObject({
      calibration: { signal: 'peak', dataset: 'findings', step: 9, auroc: 1 },
      sensitivity: { value: 1 },
      specificity: { value: 1 },
      otherSideSpecificity: { value: 1 },
    });
    // Three findings; the class that each lacks, and both for the normal image; three exchanged sides.
    expect(result.presence!.counts).toEqual({ present: 3, absent: 5, 'other-side': 3 });
  });

  it('finds chance for one who says the same of everything', async () => {
    const { zeroShot, retrieval, presence } = await evaluateMatching(options(() => 0.1));
    for (const { macro } of zeroShot) expect(macro.auroc.value).toBe(0.5);
    expect(retrieval[0]!.imageToReport.medianRank.value).toBe(2.5);
    expect(presence!.auroc.value).toBe(0.5);
    expect(presence!.specificity.value).toBe(0);
  });

  it('takes a threshold that it is given, and has none without validation images', async () => {
    const none = await evaluateMatching({ ...options(fits), validation: [] });
    expect(none.presence).toBeUndefined();
    const { presence } = await evaluateMatching(options(fits));
    const calibration = { ...presence!.calibration, threshold: 0.9 };
    const given = await evaluateMatching({ ...options(fits), validation: [], calibration });
    expect(given.presence!.sensitivity.value).toBe(0);
  });

  it('leaves unseen classes out of the questions and of the means', async () => {
    const { presence, zeroShot } = await evaluateMatching({ ...options(fits), unseenClasses: ['nodule'] });
    expect(presence!.counts).toEqual({ present: 2, absent: 2, 'other-side': 2 });
    expect(zeroShot[0]!.classes.nodule).toBeDefined();
    expect(zeroShot[0]!.macro.auroc.value).toBe(1);
  });

  it('stops when it is asked to', async () => {
    await expect(evaluateMatching({ ...options(fits), signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});
