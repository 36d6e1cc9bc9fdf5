import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../src/data/types.ts';
import type { PhraseScore } from '../../src/eval/aggregate.ts';
import { fitMaskPriors, fixedPriors } from '../../src/eval/baselines.ts';
import { evaluateGrounding } from '../../src/eval/evaluate.ts';
import { chooseExamples, collectExamples, type GroundingExample } from '../../src/eval/examples.ts';
import type { Localizer } from '../../src/eval/localizer.ts';
import { renderJson, renderMarkdown } from '../../src/eval/report.ts';
import { renderHtml } from '../../src/eval/report-html.node.ts';
import type { GroundingResult } from '../../src/eval/result.ts';
import { phrasesOfSplit } from '../../src/eval/walk.ts';
import { writeReport } from '../../src/eval/write-report.node.ts';

const folder = mkdtempSync(join(tmpdir(), 'groundray-report-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SIZE = 12;
const CATEGORIES = ['edema', 'effusion <b>"x"</b> | pipe'];

const dataset: Dataset = {
  name: 'tiny & small',
  studies: Array.from({ length: 12 }, (_, i) => ({
    id: `s${i}`,
    patientId: `p${i}`,
    split: i < 4 ? 'train' : i < 6 ? 'validation' : 'test',
    report: '',
  })),
  phrases: Array.from({ length: 12 }, (_, i) => ({
    studyId: `s${i}`,
    phrase: `${i % 3 === 0 ? 'left' : 'right'} ${i === 11 ? 'nodule' : CATEGORIES[i % 2]}`,
    category: i === 11 ? 'nodule' : CATEGORIES[i % 2]!,
    attributes: { side: i % 3 === 0 ? 'left' : 'right' },
    loadMask: async () => ({
      width: SIZE,
      height: SIZE,
      data: Uint8Array.from({ length: SIZE * SIZE }, (_, k) => (k % SIZE < 3 + (i % 4) ? 1 : 0)),
    }),
  })),
  loadImage: async () => ({ width: SIZE, height: SIZE, data: new Float32Array(SIZE * SIZE).fill(0.5) }),
};

const localizer: Localizer = {
  gridSize: { width: 4, height: 4 },
  localize: async (_, phrases) =>
    phrases.map((phrase) => ({
      grid: {
        width: 4,
        height: 4,
        data: Float32Array.from({ length: 16 }, (_, k) => (k % 4) * (phrase.includes('left') ? -0.2 : 0.1)),
      },
    })),
};

describe('reports', () => {
  let result: GroundingResult;
  let examples: GroundingExample[];
  beforeAll(async () => {
    const priors = [...fixedPriors(), ...(await fitMaskPriors(phrasesOfSplit(dataset, 'train')))];
    result = await evaluateGrounding({ localizer, dataset, priors, modelName: 'sentence-local', resamples: 20 });
    examples = await collectExamples({ localizer, dataset, result, count: 3 });
  });

  it('writes every method, class and probe as Markdown with whole table rows', () => {
    const markdown = renderMarkdown(result);
    expect(markdown).toContain('Research use only, not for diagnosis.');
    for (const name of ['sentence-local', 'two-lung Gaussian', 'oracle text', 'nodule', 'Negation', 'swap']) {
      expect(markdown).toContain(name);
    }
    const { value, low, high } = result.presets[0]!.methods[0]!.overall.macro.iou;
    expect(markdown).toContain(`**${value.toFixed(3)}** (${low.toFixed(3)} to ${high.toFixed(3)})`);
    let columns = 0;
    for (const line of markdown.split('\n')) {
      const cells = line.replaceAll('\\|', '').split('|').length;
      if (!line.startsWith('|')) columns = 0;
      else if (columns === 0) columns = cells;
      else expect(cells, line).toBe(columns);
    }
    expect(markdown).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('writes JSON that reads back, with null for what is not defined', () => {
    const parsed = JSON.parse(renderJson(result));
    expect(parsed.presets[0].methods[0].overall.macro.iou.value).toBe(
      result.presets[0]!.methods[0]!.overall.macro.iou.value,
    );
    expect(parsed.presets[0].methods[0].rows).toHaveLength(result.counts.phrases);
    expect(parsed.presets[0].methods[1].rows).toBeUndefined();
    expect(JSON.parse(renderJson(result, 'all')).presets[0].methods[1].rows).toHaveLength(result.counts.phrases);
    expect(JSON.parse(renderJson(result, 'none')).presets[0].methods[0].rows).toBeUndefined();
  });

  it('writes one HTML page that needs nothing from outside and runs nothing', () => {
    const html = renderHtml(result, examples);
    expect(html).toContain('Research use only, not for diagnosis.');
    expect(html).toContain('tiny &amp; small');
    expect(html).not.toContain('<b>"x"</b>');
    expect(html).not.toMatch(/<script|<link|(src|href)="(?!data:)|url\((?!#)|NaN|undefined/);
    expect(html.match(/data:image\/png;base64,/g)).toHaveLength(3);
    expect(html.match(/<svg /g)).toHaveLength(2);
    expect(renderHtml(result)).not.toContain('Examples');
  });

  it('writes all files and captioned pictures', async () => {
    const files = await writeReport(join(folder, 'out'), result, examples);
    expect(files.map((file) => file.slice(folder.length + 5))).toEqual([
      'grounding.json',
      'grounding.md',
      'grounding.html',
      'example-01.png',
      'example-02.png',
      'example-03.png',
    ]);
    const picture = PNG.sync.read(readFileSync(files[3]!));
    expect(picture.width).toBe(384);
    expect(picture.height).toBeGreaterThan(384);
  });

  it('takes the examples with their maps in the frame of the mask', () => {
    expect(examples).toHaveLength(3);
    for (const example of examples) {
      expect(example.map.width).toBe(SIZE);
      expect(Math.max(...example.map.data)).toBeCloseTo(1, 6);
      expect(Math.min(...example.map.data)).toBeCloseTo(-1, 6);
      expect(example.threshold).toBe(result.presets[0]!.methods[0]!.bestThreshold);
    }
  });
});

describe('chooseExamples', () => {
  const row = (studyId: string, category: string, iou: number) =>
    ({ studyId, category, phrase: category, attributes: {}, area: 0.1, scores: { iou } }) as unknown as PhraseScore;

  it('spreads over the scores and over the classes', () => {
    const rows = Array.from({ length: 12 }, (_, i) => row(`${i}`, i % 2 ? 'a' : 'b', 1 - i / 12));
    const chosen = chooseExamples(rows, 4);
    expect(chosen.map(({ studyId }) => Math.floor(Number(studyId) / 3))).toEqual([0, 1, 2, 3]);
    expect(chosen.filter(({ category }) => category === 'a')).toHaveLength(2);
  });

  it('takes what there is', () => {
    expect(chooseExamples([row('1', 'a', 0.5), row('2', 'a', Number.NaN)], 5)).toHaveLength(1);
    expect(chooseExamples([], 5)).toEqual([]);
  });
});
