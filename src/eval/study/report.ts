import { markdownTable } from '../report.ts';
import type { Cell, ReportTable } from '../report-cells.ts';
import { formatNumber } from '../report-notes.ts';
import type { ConditionResult, Factor, FactorTrend, MetricSpreads, PairDifference, StudyResult } from './result.ts';
import type { Spread } from './spread.ts';

/** Where the figures come from. */
export interface Provenance {
  readonly adapter: string;
  /** Day on which the last run was evaluated. */
  readonly date: string;
  /** What repeats the study. */
  readonly command: string;
  /** Runs that are not finished. */
  readonly missing: number;
}

const text = (value: string | number): Cell => ({ text: String(value) });

/** `0.243 ± 0.023` with the range over seeds as interval. */
function spreadCell(spread: Spread | undefined): Cell {
  if (!spread) return text('–');
  const { mean, deviation, low, high, values } = spread;
  if (values.length < 2) return text(formatNumber(mean));
  return {
    text: `${formatNumber(mean)} ± ${formatNumber(deviation)}`,
    interval: `${formatNumber(low)} to ${formatNumber(high)}`,
  };
}

function estimateCell({ value, low, high }: { value: number; low: number; high: number }): Cell {
  return { text: formatNumber(value), interval: `${formatNumber(low)} to ${formatNumber(high)}` };
}

/** The study as Markdown tables. @param figure Path of the figure beside the page. */
export function renderStudy(result: StudyResult, provenance: Provenance, figure: string): string {
  const presets = result.conditions[0]?.presets.map(({ preset }) => preset) ?? [];
  const lines = [
    `# Objectives compared on ${result.dataset}`,
    '',
    `> **${result.notice}**`,
    '',
    ...introduction(result, provenance).map((sentence) => `- ${sentence}`),
    '',
    `![Means and seeds of every objective](${figure})`,
    '',
    ...presets.flatMap((preset) => [
      `## ${preset}`,
      '',
      ...tablesOf(result, preset).flatMap((table) => [...markdownTable(table), '']),
    ]),
    '## Probes and training',
    '',
    ...markdownTable(probeTable(result.conditions)),
    '',
    '## IoU by what is asked and what is shown',
    '',
    'Classes that training showed, `paper-minmax`; means over phrases and their standard deviation over seeds. Groups ' +
      'of fewer than ten phrases are left out. At equal class: the mean of its class is taken off every phrase first. ' +
      'Last lines: how the advantage of one objective over another changes.',
    '',
    ...result.factors.flatMap((factor) => factorTables(factor).flatMap((table) => [...markdownTable(table), ''])),
  ];
  return `${lines.join('\n').trimEnd()}\n`;
}

function introduction(result: StudyResult, { adapter, date, command, missing }: Provenance): string[] {
  const { counts, seeds, unseenClasses, protocol } = result;
  return [
    `Measured on ${date} on ${adapter}, with \`${command}\`.`,
    ...(missing > 0 ? [`Not complete: ${missing === 1 ? '1 run is' : `${missing} runs are`} not finished yet.`] : []),
    `Seeds ${seeds.join(', ')}; ${counts.phrases} phrases in ${counts.images} images, ` +
      (unseenClasses.length > 0
        ? `${counts.unseenPhrases} of them for ${unseenClasses.join(', ')}, which training never showed.`
        : 'all of classes that training showed.'),
    'Cells: mean over seeds ± standard deviation, and the range over seeds in brackets. Differences: mean over seeds ' +
      `with a 95 % interval from ${protocol.resamples} resamples of images and of seeds together, paired by seed and ` +
      'phrase; with so few seeds the interval is coarse.',
    `Similarity grid ${protocol.grid.width}x${protocol.grid.height}, Gaussian sigma ${protocol.sigma} cells. IoU and Dice: mean ` +
      `over the thresholds ${protocol.thresholds.join(', ')}; a prediction that marks nothing counts 0.`,
    'Figures of the two presets must not be compared with each other. Priors are stretched to [-1, 1] under both.',
  ];
}

function tablesOf(result: StudyResult, preset: string): ReportTable[] {
  const found = result.conditions.map((condition) => ({
    condition,
    measured: condition.presets.find((entry) => entry.preset === preset),
  }));
  const priorNote = (classes: 'seen' | 'unseen'): string => {
    const best = result.priors.find((entry) => entry.preset === preset && entry.classes === classes);
    return best
      ? ` The best prior that reads neither image nor annotation, ${best.name}, has IoU ${formatNumber(best.iou)}.`
      : '';
  };
  const metricCells = (metrics: MetricSpreads | undefined) =>
    [metrics?.iou, metrics?.dice, metrics?.cnr, metrics?.pointing].map(spreadCell);
  const unseen = found.flatMap(({ condition, measured }) => [
    ...(measured?.unseen
      ? [{ cells: [text(condition.name), text('all'), ...metricCells(measured.unseen)], emphasis: true }]
      : []),
    ...(measured?.unseenByKind ?? []).map(({ kind, phrases, metrics }) => ({
      cells: [text(condition.name), text(`${kind} (${phrases})`), ...metricCells(metrics)],
    })),
  ]);
  return [
    {
      title: 'Classes that training showed',
      note: `Means over classes.${priorNote('seen')}`,
      header: ['objective', 'IoU', 'Dice', 'CNR', 'pointing'],
      rows: found.map(({ condition, measured }) => ({
        cells: [text(condition.name), ...metricCells(measured?.seen)],
      })),
    },
    ...(unseen.length > 0
      ? [
          {
            title: `Kept out of training: ${result.unseenClasses.join(', ')}`,
            note: `Over all its phrases, and by the kind of phrase with their number.${priorNote('unseen')}`,
            header: ['objective', 'phrases', 'IoU', 'Dice', 'CNR', 'pointing'],
            rows: unseen,
          },
        ]
      : []),
    {
      title: 'Left and right swapped',
      note: 'IoU of phrases that name a side, and what is left of it when the phrase names the other; means over phrases.',
      header: ['objective', 'phrases', 'IoU', 'fall', 'share that is lost'],
      rows: found.map(({ condition, measured }) => ({
        cells: [
          text(condition.name),
          text(measured?.sideSwap?.phrases ?? '–'),
          ...[measured?.sideSwap?.iou, measured?.sideSwap?.drop, measured?.sideSwap?.relativeDrop].map(spreadCell),
        ],
      })),
    },
    differenceTable(result.differences.filter((entry) => entry.preset === preset)),
  ];
}

function differenceTable(differences: readonly PairDifference[]): ReportTable {
  const names = [...new Set(differences.flatMap(({ measures }) => measures.map(({ measure }) => measure)))];
  return {
    title: 'Differences',
    note: 'In square brackets: for how many seeds the difference is above 0.',
    header: ['', ...names],
    rows: differences.map(({ minuend, subtrahend, seeds, measures }) => ({
      cells: [
        text(`${minuend} − ${subtrahend}`),
        ...names.map((name): Cell => {
          const found = measures.find(({ measure }) => measure === name);
          if (!found) return text('–');
          const above = found.perSeed.filter((value) => value > 0).length;
          const cell = estimateCell(found.difference);
          return { ...cell, text: `${cell.text} [${above}/${seeds.length}]` };
        }),
      ],
    })),
  };
}

function probeTable(conditions: readonly ConditionResult[]): ReportTable {
  return {
    title: '',
    note:
      'Negation: share of cases in which "no <class>" is less similar than the phrase, and than "<class>" alone, which ' +
      'differs in that one word. Chance is not 0.5, as all cases of a run share one "no": compare with the ' +
      'untrained network. Global loss: ' +
      'cross entropy from image to report on validation batches after the last step, the part that all objectives have.',
    header: ['objective', 'denial below phrase', 'denial below name', 'global loss'],
    rows: conditions.map(({ name, negation, globalLoss }) => ({
      cells: [text(name), spreadCell(negation?.ordered), spreadCell(negation?.orderedByName), spreadCell(globalLoss)],
    })),
  };
}

function factorTables({ name, note, groups, trend }: Factor): ReportTable[] {
  const conditions = Object.keys(groups[0]?.iou ?? {});
  const table: ReportTable = {
    title: name,
    note,
    header: ['', 'phrases', ...conditions],
    rows: groups.map(({ value, phrases, iou }) => ({
      cells: [text(value), text(phrases), ...conditions.map((condition) => text(meanAndDeviation(iou[condition])))],
    })),
  };
  return trend ? [table, trendTable(trend)] : [table];
}

function meanAndDeviation(spread: Spread | undefined): string {
  return spreadCell(spread).text;
}

function trendTable(trend: readonly FactorTrend[]): ReportTable {
  const [first] = trend;
  return {
    title: '',
    note: '',
    header: [`"${first?.to}" minus "${first?.from}"`, 'as it stands', 'at equal class'],
    rows: trend.map(({ condition, difference, atEqualClass }) => ({
      cells: [text(condition), estimateCell(difference), estimateCell(atEqualClass)],
    })),
  };
}
