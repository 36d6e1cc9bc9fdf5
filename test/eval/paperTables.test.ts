import { describe, expect, it } from 'vitest';
import type { Estimate, MetricName, Summary } from '../../src/eval/aggregate.ts';
import { RESEARCH_NOTICE } from '../../src/eval/notice.ts';
import { paperTables } from '../../src/eval/paperTables.ts';
import { canonicalClass, PUBLISHED_TABLES, paperCorpusOf } from '../../src/eval/publishedResults.ts';
import {
  escapeLatex,
  renderTablesJson,
  renderTablesLatex,
  renderTablesMarkdown,
} from '../../src/eval/renderPaperTables.ts';
import type { GroundingResult, MethodResult } from '../../src/eval/result.ts';

const estimate = (value: number): Estimate => ({ value, low: value - 0.01, high: value + 0.01, count: 9 });
const summary = (iou: number, dice: number) =>
  ({ iou: estimate(iou), dice: estimate(dice) }) as Partial<Record<MetricName, Estimate>> as Summary;

function method(name: string, kind: MethodResult['kind'], iou: number, classes: Record<string, number>): MethodResult {
  const byClass = Object.entries(classes).map(([category, value]) => [category, summary(value, 2 * value)]);
  const group = { macro: summary(iou, 2 * iou), micro: summary(iou, iou), classes: Object.fromEntries(byClass) };
  return { name, kind, description: '', overall: group, subgroups: [], rows: [] };
}

function result(
  dataset: string,
  classes: Record<string, number>,
  unseenClasses: readonly string[] = [],
): GroundingResult {
  const methods = [
    method('tiny', 'model', 0.25, classes),
    method('untrained model', 'comparison', 0.03, classes),
    method('random map', 'prior', 0.02, classes),
    method('oracle text', 'prior', 0.5, classes),
    method('two-lung Gaussian', 'prior', 0.2, classes),
  ];
  return {
    kind: 'groundray-grounding',
    notice: RESEARCH_NOTICE,
    dataset,
    model: 'tiny',
    protocol: {
      ...{ thresholds: [0.1, 0.5], sigma: 1.5, radius: 6, grid: { width: 14, height: 14 } },
      ...{ evaluationSide: 224, resamples: 1000, seed: 0 },
    },
    counts: {
      ...{ images: 4, phrases: 9, emptyGroundTruth: 0, validationPhrases: 0, classes: {}, unseenClasses },
      sizeLimits: [0, 0],
    },
    presets: [{ preset: 'paper-minmax', methods, differences: [] }],
  };
}

describe('paperTables', () => {
  it('shows the published rows alone where a corpus is absent, and says what is missing', () => {
    const { tables, protocol } = paperTables('tiny', []);
    expect(protocol).toBeUndefined();
    expect(tables.map(({ number, corpus }) => [number, corpus])).toEqual([
      [1, 'rsna'],
      [2, 'covid-rural'],
      [3, 'ms-cxr'],
    ]);
    for (const { rows, missing, measured } of tables) {
      expect(rows.map(({ method: name, source }) => [name, source])).toEqual(
        ['GLoRIA', 'BioViL', 'MedKLIP', 'Yang et al. (the paper)'].map((name) => [name, 'published']),
      );
      expect(missing).toMatch(/^Not measured here: .*--data/);
      expect(measured).toBeUndefined();
    }
  });

  it('puts priors and our row behind the published ones, without oracles and comparisons', () => {
    const [rsna, , msCxr] = paperTables('tiny', [
      result('rsna-pneumonia', { pneumonia: 0.25 }),
      result('MS-CXR', { 'Pleural Effusion': 0.3, Nodule: 0.1 }),
    ]).tables;
    expect(rsna!.rows.slice(4).map(({ method: name, kind }) => [name, kind])).toEqual([
      ['random map', 'prior'],
      ['two-lung Gaussian', 'prior'],
      ['groundray (tiny)', 'model'],
    ]);
    expect(rsna).toMatchObject({ classes: [], measured: { dataset: 'rsna-pneumonia', images: 4, phrases: 9 } });
    expect(rsna!.missing).toBeUndefined();
    expect(rsna!.rows.at(-1)!.mean.iou).toEqual(estimate(0.25));
    expect(msCxr!.classes).toEqual([...PUBLISHED_TABLES['ms-cxr'].classes, 'nodule']);
    expect(msCxr!.rows[3]!.classes['pleural effusion']).toEqual({ iou: { value: 0.368 }, dice: { value: 0.525 } });
    expect(msCxr!.rows.at(-1)!.classes.nodule!.dice.value).toBe(0.2);
  });

  it('gives other data a table of the same shape, unseen classes last', () => {
    const { tables } = paperTables('tiny', [result('phantom-0', { 'covid-like': 0.1, edema: 0.4 }, ['covid-like'])]);
    expect(tables).toHaveLength(4);
    expect(tables[3]).toMatchObject({ title: 'phantom-0 by class', classes: ['edema', 'covid-like'] });
    expect(renderTablesMarkdown(paperTables('tiny', [result('phantom-0', { edema: 0.4 })]))).toContain(
      '| **groundray (tiny)** | measured | .800 / .400 | .500 (.490 to .510) / .250 (.240 to .260) |',
    );
  });
});

describe('the published figures', () => {
  it("have the paper's mean as the mean of its classes", () => {
    const { rows } = PUBLISHED_TABLES['ms-cxr'];
    const { classes = {}, mean } = rows.at(-1)!;
    const figures = Object.values(classes);
    expect(figures).toHaveLength(8);
    expect(figures.reduce((sum, { iou }) => sum + iou, 0) / 8).toBeCloseTo(mean.iou, 3);
    expect(figures.reduce((sum, { dice }) => sum + dice, 0) / 8).toBeCloseTo(mean.dice, 3);
  });

  it('belong to corpora and classes whatever their spelling', () => {
    expect(
      ['RSNA_Pneumonia', 'covid-rural', 'COVID-19-AR', 'MS_CXR_Local_Alignment', 'phantom-0'].map(paperCorpusOf),
    ).toEqual(['rsna', 'covid-rural', 'covid-rural', 'ms-cxr', undefined]);
    expect(['Effusion', 'pleural-effusion', 'Lung_Opacity', ' Edema', 'covid-like'].map(canonicalClass)).toEqual([
      'pleural effusion',
      'pleural effusion',
      'lung opacity',
      'edema',
      'covid-like',
    ]);
  });
});

describe('rendering', () => {
  const tables = paperTables('tiny', [result('50%_rsna & more', { pneumonia: Number.NaN })]);

  it('marks in every form which rows were published and carries the notice', () => {
    const markdown = renderTablesMarkdown(tables);
    const latex = renderTablesLatex(tables);
    for (const text of [markdown, latex, renderTablesJson(tables)]) expect(text).toContain(RESEARCH_NOTICE);
    expect(markdown).toContain('| GLoRIA | published | .218 | .347 |');
    expect(latex).toContain('GLoRIA & published & .218 & .347 \\\\');
    expect(latex).toContain('\\textbf{groundray (tiny)} & \\textbf{measured} & \\textbf{.250 (.240 to .260)}');
  });

  it('makes LaTeX in which every environment ends and every special character is escaped', () => {
    const latex = renderTablesLatex(tables);
    const count = (text: string) => latex.split(text).length - 1;
    for (const name of ['table', 'tabular']) expect(count(`\\begin{${name}}`)).toBe(count(`\\end{${name}}`));
    expect(count('\\toprule')).toBe(3);
    expect(latex).toContain('50\\%\\_rsna \\& more');
    // Rows have as many cells as the table has columns.
    for (const [, columns = '', body = ''] of latex.matchAll(
      /\\begin\{tabular\}\{(\w+)\}([\s\S]*?)\\end\{tabular\}/g,
    )) {
      for (const line of body.split('\n').filter((text) => text.endsWith('\\\\'))) {
        expect(line.replaceAll('\\&', '').split('&')).toHaveLength(columns.length);
      }
    }
    expect(escapeLatex('"a" 5% of {x_1} ~ \\ ^')).toBe(
      "``a'' 5\\% of \\{x\\_1\\} \\textasciitilde{} \\textbackslash{} \\textasciicircum{}",
    );
  });

  it('keeps all figures in JSON and has null for those that are not defined', () => {
    const json = JSON.parse(renderTablesJson(tables));
    expect(json.kind).toBe('groundray-tables');
    const ours = json.tables[0].rows.at(-1);
    expect(ours.mean.iou).toEqual(estimate(0.25));
    expect(ours.classes.pneumonia.iou.value).toBeNull();
  });
});
